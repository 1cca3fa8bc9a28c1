import type { Provider } from '../provider';

export const STRIPE: Provider = {
  id: 'stripe',
  name: 'Stripe',
  documentation: 'https://docs.stripe.com/webhooks/signature',
  checkedOn: '2026-11-29',
  proof: 'npm stripe: webhooks.generateTestHeaderString',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'stripe-signature',
    part: 'v1',
    signed: '{header:stripe-signature/t}.{body}',
    timestamp: { header: 'stripe-signature', part: 't', toleranceSeconds: 300 },
  },
  secret: 'the signing secret of the webhook endpoint (whsec_…), as Stripe shows it',
  changedByRetries: ['/pending_webhooks'],
  mapping: {
    eventType: '/type',
    eventId: '/id',
    occurredAt: '/created',
    subject: ['/data/object/id', '/related_object/id', '/id'],
  },
};
