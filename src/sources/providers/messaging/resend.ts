import type { Provider } from '../provider';
import { standardSignature } from '../standards/standard-signature';

export const RESEND: Provider = {
  id: 'resend',
  name: 'Resend',
  documentation: 'https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests',
  checkedOn: '2026-11-29',
  proof: 'npm resend: webhooks.verify',
  verification: standardSignature('svix'),
  secret: 'the signing secret (whsec_…) of the webhook',
  mapping: {
    eventType: '/type',
    eventId: { template: '{header:svix-id}' },
    subject: ['/data/email_id', '/data/id', { template: '{header:svix-id}' }],
    occurredAt: '/created_at',
  },
};
