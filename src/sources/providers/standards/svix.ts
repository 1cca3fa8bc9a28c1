import type { Provider } from '../provider';
import { standardSignature } from './standard-signature';

/** Any producer that sends through Svix. Svix leaves to the producer what the bodies contain. */
export const SVIX: Provider = {
  id: 'svix',
  name: 'Svix',
  documentation: 'https://docs.svix.com/receiving/verifying-payloads/how-manual',
  checkedOn: '2026-11-29',
  proof: 'npm svix: Webhook.sign',
  verification: standardSignature('svix'),
  secret: 'the signing secret (whsec_…) of the endpoint',
  mapping: {
    eventType: ['/type', '/event_type', '/eventType', '/event'],
    eventId: { template: '{header:svix-id}' },
    subject: ['/data/id', '/id', { template: '{header:svix-id}' }],
  },
};
