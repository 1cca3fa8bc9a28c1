import type { Provider } from '../provider';

/** The links of an event that say what it is about. An event of a payment may also link the payout it was paid in. */
const LINKS = [
  'refund',
  'subscription',
  'instalment_schedule',
  'outbound_payment',
  'payment',
  'payout',
  'billing_request',
  'mandate',
  'creditor',
  'payer_authorisation',
  'scheme_identifier',
  'export',
  'customer',
  'organisation',
];

export const GOCARDLESS: Provider = {
  id: 'gocardless',
  name: 'GoCardless',
  documentation: 'https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks/',
  checkedOn: '2026-11-29',
  proof: 'npm gocardless-nodejs: webhooks.parse',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'webhook-signature',
    signed: '{body}',
  },
  secret: 'the secret of the webhook endpoint',
  mapping: {
    records: '/events',
    eventType: { template: '{body:/resource_type}.{body:/action}' },
    eventId: '/id',
    subject: [...LINKS.map((name) => `/links/${name}`), '/id'],
    occurredAt: '/created_at',
  },
};
