import type { Provider } from '../provider';
import { TWILIO_SECRET, TWILIO_SIGNATURE } from './twilio';

export const TWILIO_EVENTS: Provider = {
  id: 'twilio-events',
  name: 'Twilio Event Streams',
  documentation: 'https://www.twilio.com/docs/events/webhook-quickstart',
  checkedOn: '2026-11-29',
  proof: 'npm twilio: getExpectedTwilioSignature, validateRequestWithBody',
  verification: TWILIO_SIGNATURE,
  secret: TWILIO_SECRET,
  mapping: {
    records: '',
    eventType: '/type',
    eventId: '/id',
    subject: [
      '/data/messageSid',
      '/data/callSid',
      '/data/call_sid',
      '/data/ConversationSid',
      '/data/verification_sid',
      '/data/task_sid',
      '/source',
    ],
    occurredAt: '/time',
  },
};
