import type { Provider } from '../provider';

export const SQUARE: Provider = {
  id: 'square',
  name: 'Square',
  documentation: 'https://developer.squareup.com/docs/webhooks/step3validate',
  checkedOn: '2026-11-29',
  proof: "the worked example of Square's documentation",
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    header: 'x-square-hmacsha256-signature',
    signed: '{url}{body}',
  },
  secret: 'the signature key of the webhook subscription',
  mapping: {
    eventType: '/type',
    eventId: '/event_id',
    subject: ['/data/id', '/merchant_id'],
    occurredAt: '/created_at',
  },
};
