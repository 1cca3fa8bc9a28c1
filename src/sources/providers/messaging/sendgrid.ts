import type { Provider } from '../provider';

export const SENDGRID: Provider = {
  id: 'sendgrid',
  name: 'SendGrid Event Webhook',
  documentation:
    'https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features',
  checkedOn: '2026-11-29',
  proof: 'npm @sendgrid/eventwebhook: EventWebhook.verifySignature',
  verification: {
    scheme: 'ecdsa',
    encoding: 'base64',
    keyEncoding: 'base64',
    header: 'x-twilio-email-event-webhook-signature',
    signed: '{header:x-twilio-email-event-webhook-timestamp}{body}',
  },
  secret: 'the verification key of the signed event webhook, one line of base64',
  mapping: {
    records: '',
    eventType: '/event',
    eventId: '/sg_event_id',
    subject: ['/email', '/sg_message_id', '/sg_event_id'],
    occurredAt: '/timestamp',
  },
};
