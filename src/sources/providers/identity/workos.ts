import type { Provider } from '../provider';

export const WORKOS: Provider = {
  id: 'workos',
  name: 'WorkOS',
  documentation: 'https://workos.com/docs/events/data-syncing/webhooks',
  checkedOn: '2026-11-29',
  proof: 'npm @workos-inc/node: webhooks.computeSignature',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'workos-signature',
    part: 'v1',
    signed: '{header:workos-signature/t}.{body}',
    timestamp: { header: 'workos-signature', part: 't', unit: 'ms', toleranceSeconds: 180 },
  },
  secret: 'the secret of the webhook endpoint',
  mapping: {
    eventType: '/event',
    eventId: '/id',
    subject: ['/data/id', '/data/user_id', '/data/email', '/id'],
    occurredAt: '/created_at',
  },
};
