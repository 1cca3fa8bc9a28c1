import type { Provider } from '../provider';

/** What an event may be about. An event about a refund also has its payment, so the narrower come first. */
const ENTITIES = [
  'dispute',
  'refund',
  'subscription',
  'payment_link',
  'invoice',
  'transfer',
  'settlement',
  'qr_code',
  'virtual_account',
  'payout_link',
  'payout',
  'fund_account.validation',
  'transaction',
  'payment.downtime',
  'order',
  'payment',
];

export const RAZORPAY: Provider = {
  id: 'razorpay',
  name: 'Razorpay',
  documentation: 'https://razorpay.com/docs/webhooks/validate-test/',
  checkedOn: '2026-11-29',
  proof: 'npm razorpay: validateWebhookSignature',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-razorpay-signature',
    signed: '{body}',
  },
  secret: 'the secret of the webhook, which is not the secret of the API key',
  mapping: {
    eventType: '/event',
    eventId: { template: '{header:x-razorpay-event-id}' },
    subject: [...ENTITIES.map((entity) => `/payload/${entity}/entity/id`), '/account_id'],
    occurredAt: '/created_at',
  },
};
