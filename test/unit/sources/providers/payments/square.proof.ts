import { hmac, withHeaders, type Proof } from '../../../../support/sources/proof';

const PAYMENT =
  '{"merchant_id":"ML0001","location_id":"L0001","type":"payment.updated",' +
  '"event_id":"6a8f5f28-54a1-4eb0-a98a-000000000001","created_at":"2026-09-21T14:13:19.500Z",' +
  '"data":{"type":"payment","id":"pay_0001","object":{"payment":{"id":"pay_0001","status":"COMPLETED"}}}}';

export const proof: Proof = {
  provider: 'square',
  outside: { publishes: 'https://developer.squareup.com/docs/webhooks/step3validate' },
  examples: [
    {
      secret: 'asdf1234',
      request: {
        url: 'https://example.com/webhook',
        headers: { 'x-square-hmacsha256-signature': '2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og=' },
        body: '{"hello":"world"}',
      },
    },
  ],
  secrets: ['sq-signature-key', 'sq-another-key'],
  sign: (request, secret) =>
    withHeaders(request, {
      'x-square-hmacsha256-signature': hmac('sha256', secret, request.url + request.body, 'base64'),
    }),
  signed: ['x-square-hmacsha256-signature', 'url'],
  samples: [
    {
      request: { body: PAYMENT },
      events: [
        {
          eventType: 'payment.updated',
          subject: 'pay_0001',
          eventId: '6a8f5f28-54a1-4eb0-a98a-000000000001',
          occurredAt: '2026-09-21T14:13:19.500Z',
        },
      ],
    },
  ],
};
