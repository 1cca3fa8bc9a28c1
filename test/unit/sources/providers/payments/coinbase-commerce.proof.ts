import { accepts, hmac, load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface CoinbaseCommercePackage {
  Webhook: { verifySigHeader(body: string, signature: string, secret: string): void };
}

const CONFIRMED =
  '{"attempt_number":1,"event":{"api_version":"2018-03-22","created_at":"2026-11-29T11:59:58Z","data":{"id":"f765421f-0000-4000-8000-000000000001","code":"66BEOV2A","name":"Order 17","pricing":{"local":{"amount":"12.00","currency":"EUR"}}},"id":"24934862-d980-46cb-9402-43c81b0c0001","resource":"event","type":"charge:confirmed"},"id":"1c1d2e3f-0000-4000-8000-000000000002","scheduled_for":"2026-11-29T11:59:58Z"}';

export const proof: Proof = {
  provider: 'coinbase-commerce',
  outside: {
    accepts: 'coinbase-commerce-node: Webhook.verifySigHeader',
    async decide({ headers, body }, secret) {
      const { Webhook } = await load<CoinbaseCommercePackage>('coinbase-commerce-node');
      return accepts(() => Webhook.verifySigHeader(body, headers['x-cc-webhook-signature'] as string, secret));
    },
  },
  secrets: ['coinbase-shared-secret-one', 'coinbase-shared-secret-two'],
  sign: (request, secret) =>
    withHeaders(request, { 'x-cc-webhook-signature': hmac('sha256', secret, request.body, 'hex') }),
  signed: ['x-cc-webhook-signature'],
  samples: [
    {
      request: { body: CONFIRMED },
      events: [
        {
          eventType: 'charge:confirmed',
          eventId: '24934862-d980-46cb-9402-43c81b0c0001',
          subject: '66BEOV2A',
          occurredAt: '2026-11-29T11:59:58Z',
        },
      ],
    },
  ],
};
