import { withHeaders, type Proof, type Sample, type SentRequest } from '../../../../support/sources/proof';

const MESSAGE_ID = '883953f4-6105-42a2-a16a-77a8eac79483';

export const SECRETS: Proof['secrets'] = ['streamforge:a password: of Postmark', 'streamforge:another password'];

/** https://www.rfc-editor.org/rfc/rfc7617#section-2 */
export const RFC_7617 = {
  secret: 'Aladdin:open sesame',
  request: { headers: { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' }, body: '{}' },
};

export const withBasic = (request: SentRequest, secret: string): SentRequest =>
  withHeaders(request, { authorization: `Basic ${Buffer.from(secret).toString('base64')}` });

function sample(eventType: string, timeField: string): Sample {
  const occurredAt = '2026-11-29T06:59:58.0000000-05:00';
  const body = `{"RecordType":"${eventType}","MessageStream":"outbound","MessageID":"${MESSAGE_ID}","Recipient":"ada@example.com","${timeField}":"${occurredAt}"}`;
  return { request: { body }, events: [{ eventType, subject: MESSAGE_ID, occurredAt }] };
}

export const proof: Proof = {
  provider: 'postmark',
  outside: { documents: 'RFC 7617' },
  secrets: SECRETS,
  sign: withBasic,
  examples: [RFC_7617],
  signed: ['authorization'],
  alteredBodies: () => [],
  samples: [
    sample('Delivery', 'DeliveredAt'),
    sample('Bounce', 'BouncedAt'),
    sample('SpamComplaint', 'BouncedAt'),
    sample('Open', 'ReceivedAt'),
    sample('Click', 'ReceivedAt'),
    sample('SubscriptionChange', 'ChangedAt'),
  ],
};
