import type { Provider } from '../provider';

/** The body is what the projection of the webhook makes, so most is read from the headers. */
export const SANITY: Provider = {
  id: 'sanity',
  name: 'Sanity',
  documentation: 'https://www.sanity.io/docs/webhooks',
  checkedOn: '2026-11-29',
  proof: 'npm @sanity/webhook: encodeSignatureHeader',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    header: 'sanity-webhook-signature',
    part: 'v1',
    signed: '{header:sanity-webhook-signature/t}.{body}',
  },
  secret: 'the secret of the webhook',
  mapping: {
    eventType: [{ template: '{body:/_type}.{header:sanity-operation}' }, { template: '{header:sanity-operation}' }],
    eventId: { template: '{header:idempotency-key}' },
    subject: ['/_id', { template: '{header:sanity-document-id}' }],
  },
};
