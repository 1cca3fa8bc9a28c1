import { hash } from 'node:crypto';
import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface TwilioPackage {
  getExpectedTwilioSignature(token: string, url: string, fields: Record<string, unknown>): string;
  validateRequestWithBody(token: string, signature: string, url: string, body: string): boolean;
}

const DELIVERED =
  '{"specversion":"1.0","type":"com.twilio.messaging.message.delivered","source":"AB01","id":"NO01",' +
  '"dataschema":"https://events-schemas.twilio.com/Messaging.MessageStatus/8","datacontenttype":"application/json",' +
  '"time":"2026-09-21T14:13:19.000Z","data":{"messageSid":"SM01","messageStatus":"DELIVERED"}}';
const TEST =
  '{"specversion":"1.0","type":"com.twilio.eventstreams.test-event","source":"Sink","id":"AC01",' +
  '"datacontenttype":"application/json","time":"2026-06-10T06:02:54.377Z","data":{"test_id":"cae2f9e2"}}';

export const proof: Proof = {
  provider: 'twilio-events',
  outside: {
    accepts: 'twilio: validateRequestWithBody',
    async decide({ body, headers, url }, secret) {
      const twilio = await load<TwilioPackage>('twilio/lib/webhooks/webhooks');
      return twilio.validateRequestWithBody(secret, headers['x-twilio-signature'] ?? '', url, body);
    },
  },
  secrets: ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'],
  async sign(request, secret) {
    const twilio = await load<TwilioPackage>('twilio/lib/webhooks/webhooks');
    const url = `${request.url}?bodySHA256=${hash('sha256', request.body, 'hex')}`;
    const signed = { ...request, url };
    return withHeaders(signed, { 'x-twilio-signature': twilio.getExpectedTwilioSignature(secret, url, {}) });
  },
  signed: ['x-twilio-signature', 'url'],
  samples: [
    {
      request: { body: `[${DELIVERED},${TEST}]` },
      events: [
        {
          eventType: 'com.twilio.messaging.message.delivered',
          subject: 'SM01',
          eventId: 'NO01',
          occurredAt: '2026-09-21T14:13:19.000Z',
          payload: DELIVERED,
        },
        {
          eventType: 'com.twilio.eventstreams.test-event',
          subject: 'Sink',
          eventId: 'AC01',
          occurredAt: '2026-06-10T06:02:54.377Z',
          payload: TEST,
        },
      ],
    },
  ],
};
