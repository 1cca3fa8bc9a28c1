import type { Provider } from '../provider';

export const LINE: Provider = {
  id: 'line',
  name: 'LINE Messaging API',
  documentation: 'https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/',
  checkedOn: '2026-11-29',
  proof: "the worked example of LINE's documentation",
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    header: 'x-line-signature',
    signed: '{body}',
  },
  secret: 'the channel secret, as text',
  changedByRetries: ['/deliveryContext/isRedelivery'],
  mapping: {
    // The console verifies a URL with an empty list.
    records: '/events',
    eventType: '/type',
    eventId: '/webhookEventId',
    subject: ['/source/groupId', '/source/roomId', '/source/userId', '$body.destination'],
    occurredAt: '/timestamp',
  },
};
