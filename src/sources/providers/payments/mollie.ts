import type { Provider } from '../provider';

/** The webhooks of the dashboard. Those of `webhookUrl` in a payment are forms with an id, which nothing signs. */
export const MOLLIE: Provider = {
  id: 'mollie',
  name: 'Mollie',
  documentation: 'https://docs.mollie.com/reference/webhooks-best-practices',
  checkedOn: '2026-11-29',
  proof: 'npm mollie-api-typescript: SignatureValidator',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-mollie-signature',
    prefix: 'sha256=',
    separator: ',',
    signed: '{body}',
  },
  secret: 'the signing secret of the webhook',
  mapping: {
    eventType: '/type',
    eventId: '/id',
    subject: ['/entityId', '/id'],
    occurredAt: '/createdAt',
  },
};
