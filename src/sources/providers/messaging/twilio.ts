import { always } from '../../directory/answers';
import type { HmacVerification } from '../../verification/verification';
import type { Provider } from '../provider';

/**
 * Forms are signed field by field. Of other bodies Twilio signs a digest, which it adds to the URL. With a webhook rule it
 * signs with SHA-256 and a shared key instead: such a source has this verification with `algorithm: "sha256"`.
 */
export const TWILIO_SIGNATURE: HmacVerification = {
  scheme: 'hmac',
  algorithm: 'sha1',
  encoding: 'base64',
  header: 'x-twilio-signature',
  signed: '{url}{form?}',
  bodyDigest: { value: '{query:bodySHA256}', algorithm: 'sha256', encoding: 'hex', exceptForms: true },
};

export const TWILIO_SECRET = 'the primary Auth Token of the account';

/** Messaging, voice and Conversations. What Event Streams sends is shaped otherwise: twilio-events.ts. */
export const TWILIO: Provider = {
  id: 'twilio',
  name: 'Twilio',
  documentation: 'https://www.twilio.com/docs/usage/webhooks/webhooks-security',
  checkedOn: '2026-11-29',
  proof: 'npm twilio: getExpectedTwilioSignature',
  verification: TWILIO_SIGNATURE,
  secret: TWILIO_SECRET,
  mapping: {
    // Twilio has no types. The states of messages and calls share words, so they are told apart: `message.delivered`.
    eventType: [
      '/EventType',
      '/StatusCallbackEvent',
      { template: 'recording.{body:/RecordingStatus}' },
      { template: 'transcription.{body:/TranscriptionStatus}' },
      { template: 'message.{body:/MessageStatus}' },
      { template: 'message.{body:/SmsStatus}' },
      { template: 'call.{body:/CallStatus}' },
    ],
    eventId: [{ template: '{header:i-twilio-idempotency-token}' }, { template: '{sha256}' }],
    subject: ['/ConversationSid', '/ConferenceSid', '/RoomSid', '/CallSid', '/MessageSid', '/SmsSid', '/AccountSid'],
  },
  // Twilio reads the answer as TwiML. This one tells it to do nothing.
  answers: always({ status: 200, body: '<Response/>', contentType: 'text/xml' }),
};
