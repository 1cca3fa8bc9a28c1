import type { Provider } from '../provider';
import { standardSignature } from './standard-signature';

/** Any producer that follows the specification. What its bodies contain is only recommended there. */
export const STANDARD_WEBHOOKS: Provider = {
  id: 'standardwebhooks',
  name: 'Standard Webhooks',
  documentation: 'https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md',
  checkedOn: '2026-11-29',
  proof: 'npm standardwebhooks: Webhook.sign',
  verification: standardSignature('webhook'),
  secret: 'the signing secret (whsec_…) of the endpoint',
  mapping: {
    eventType: ['/type', '/event_type', '/eventType', '/event'],
    eventId: { template: '{header:webhook-id}' },
    subject: ['/data/id', '/id', { template: '{header:webhook-id}' }],
  },
};
