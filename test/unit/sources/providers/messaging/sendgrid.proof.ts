import { generateKeyPairSync, sign as signWith, type KeyObject } from 'node:crypto';
import { accepts, load, unixSeconds, withHeaders, type Proof } from '../../../../support/sources/proof';

interface SendGridPackage {
  EventWebhook: new () => {
    convertPublicKeyToECDSA(key: string): unknown;
    verifySignature(key: unknown, body: string, signature: string, timestamp: string): boolean;
  };
}

const SIGNATURE = 'x-twilio-email-event-webhook-signature';
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp';

const PAIRS = new Map<string, KeyObject>();
function publicKey(): string {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const text = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  PAIRS.set(text, pair.privateKey);
  return text;
}

const PROCESSED =
  '{"email":"ada@example.com","timestamp":1789999990,"smtp-id":"<14c5d75ce93@ismtpd-555>","event":"processed",' +
  '"sg_event_id":"cHJvY2Vzc2VkLWRlbW8","sg_message_id":"14c5d75ce93.filter0001"}';
const DELIVERED =
  '{"email":"ada@example.com","timestamp":1789999995,"event":"delivered","response":"250 OK",' +
  '"sg_event_id":"ZGVsaXZlcmVkLWRlbW8","sg_message_id":"14c5d75ce93.filter0001"}';
const ACCOUNT =
  '{"event":"account_status_change","sg_event_id":"MjEwM2I5","timestamp":1789999996,"type":"compliance_suspend"}';

export const proof: Proof = {
  provider: 'sendgrid',
  outside: {
    accepts: '@sendgrid/eventwebhook: EventWebhook.verifySignature',
    async decide({ body, headers }, secret) {
      const { EventWebhook } = await load<SendGridPackage>('@sendgrid/eventwebhook');
      const webhook = new EventWebhook();
      const key = webhook.convertPublicKeyToECDSA(secret);
      return accepts(() => webhook.verifySignature(key, body, headers[SIGNATURE] ?? '', headers[TIMESTAMP] ?? ''));
    },
  },
  secrets: [publicKey(), publicKey()],
  sign(request, secret, at) {
    const timestamp = unixSeconds(at);
    const signature = signWith('sha256', Buffer.from(timestamp + request.body), PAIRS.get(secret) as KeyObject);
    return withHeaders(request, { [TIMESTAMP]: timestamp, [SIGNATURE]: signature.toString('base64') });
  },
  signed: [SIGNATURE, TIMESTAMP],
  samples: [
    {
      // SendGrid's bodies end with CRLF, which is signed as well.
      request: { body: `[${PROCESSED},${DELIVERED},${ACCOUNT}]\r\n` },
      events: [
        {
          eventType: 'processed',
          subject: 'ada@example.com',
          eventId: 'cHJvY2Vzc2VkLWRlbW8',
          occurredAt: '2026-09-21T14:13:10.000Z',
          payload: PROCESSED,
        },
        {
          eventType: 'delivered',
          subject: 'ada@example.com',
          eventId: 'ZGVsaXZlcmVkLWRlbW8',
          occurredAt: '2026-09-21T14:13:15.000Z',
          payload: DELIVERED,
        },
        {
          eventType: 'account_status_change',
          subject: 'MjEwM2I5',
          eventId: 'MjEwM2I5',
          occurredAt: '2026-09-21T14:13:16.000Z',
          payload: ACCOUNT,
        },
      ],
    },
  ],
};
