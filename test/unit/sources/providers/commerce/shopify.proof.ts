import { hmac, load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface ShopifyPackage {
  shopifyApi: (options: Record<string, unknown>) => {
    webhooks: { validate(request: Record<string, unknown>): Promise<{ valid: boolean }> };
  };
}

const ORDER =
  '{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508","name":"#1001",' +
  '"total_price":"42.00","currency":"EUR","created_at":"2026-09-21T16:13:18+02:00"}';
const ERASURE =
  '{"shop_id":954889,"shop_domain":"acme.myshopify.com","customer":{"id":191167000000000001},"orders_to_redact":[]}';
const headers = {
  'x-shopify-topic': 'orders/create',
  'x-shopify-shop-domain': 'acme.myshopify.com',
  'x-shopify-api-version': '2026-01',
  'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  'x-shopify-event-id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
  'x-shopify-triggered-at': '2026-09-21T14:13:18.678901234Z',
};

export const proof: Proof = {
  provider: 'shopify',
  outside: {
    accepts: '@shopify/shopify-api: webhooks.validate',
    async decide({ body, headers: sent }, secret) {
      await load('@shopify/shopify-api/adapters/node');
      const { shopifyApi } = await load<ShopifyPackage>('@shopify/shopify-api');
      const api = shopifyApi({
        apiKey: 'key',
        apiSecretKey: secret,
        hostName: 'app.example.com',
        apiVersion: '2026-01',
        isEmbeddedApp: false,
        scopes: ['read_orders'],
        logger: { log: () => undefined },
      });
      const rawRequest = { method: 'POST', url: '/', headers: sent };
      return (await api.webhooks.validate({ rawBody: body, rawRequest, rawResponse: {} })).valid;
    },
  },
  secrets: ['shpss_sample_secret', 'shpss_another_secret'],
  sign: (request, secret) =>
    withHeaders(request, { 'x-shopify-hmac-sha256': hmac('sha256', secret, request.body, 'base64') }),
  signed: ['x-shopify-hmac-sha256'],
  samples: [
    {
      request: { headers, body: ORDER },
      events: [
        {
          eventType: 'orders/create',
          subject: 'gid://shopify/Order/820982911946154508',
          eventId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        },
      ],
    },
    {
      request: { headers: { ...headers, 'x-shopify-topic': 'customers/redact' }, body: ERASURE },
      events: [
        {
          eventType: 'customers/redact',
          subject: '191167000000000001',
          eventId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        },
      ],
    },
  ],
};
