import type { Provider } from '../provider';

export const COINBASE_COMMERCE: Provider = {
  id: 'coinbase-commerce',
  name: 'Coinbase Commerce',
  documentation: 'https://docs.cdp.coinbase.com/commerce/api-arcitecture/webhooks-security',
  checkedOn: '2026-11-29',
  proof: 'npm coinbase-commerce-node: Webhook.verifySigHeader',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-cc-webhook-signature',
    signed: '{body}',
  },
  secret: 'the webhook shared secret',
  mapping: {
    eventType: '/event/type',
    eventId: '/event/id',
    subject: ['/event/data/code', '/event/data/id', '/event/id'],
    occurredAt: '/event/created_at',
  },
  changedByRetries: ['/attempt_number', '/id', '/scheduled_for'],
};
