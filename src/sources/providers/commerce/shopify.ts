import type { Provider } from '../provider';

export const SHOPIFY: Provider = {
  id: 'shopify',
  name: 'Shopify',
  documentation: 'https://shopify.dev/docs/apps/build/webhooks/verify-deliveries',
  checkedOn: '2026-11-29',
  proof: 'npm @shopify/shopify-api: webhooks.validate',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    header: 'x-shopify-hmac-sha256',
    signed: '{body}',
  },
  secret: 'the client secret of the app; after a rotation the old one as well, which may sign for an hour',
  mapping: {
    eventType: { template: '{header:x-shopify-topic}' },
    eventId: { template: '{header:x-shopify-webhook-id}' },
    subject: ['/admin_graphql_api_id', '/id', '/customer/id', { template: '{header:x-shopify-shop-domain}' }],
  },
};
