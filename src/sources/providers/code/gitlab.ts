import type { Provider } from '../provider';
import { standardSignature } from '../standards/standard-signature';

/**
 * Webhooks with a signing token. Those with a secret token, which older versions send, have the verification
 * `{ "scheme": "token", "header": "x-gitlab-token" }`; the rest is the same.
 */
export const GITLAB: Provider = {
  id: 'gitlab',
  name: 'GitLab',
  documentation: 'https://docs.gitlab.com/user/project/integrations/webhooks/',
  checkedOn: '2026-11-29',
  proof: 'npm standardwebhooks: Webhook.sign, with which GitLab tests it',
  verification: standardSignature('webhook'),
  secret: 'the signing token (whsec_…) of the webhook',
  mapping: {
    eventType: [
      { template: '{body:/object_kind}.{body:/object_attributes/action}' },
      { template: '{body:/object_kind}.{body:/action}' },
      '/object_kind',
      '/event_name',
      { template: '{header:x-gitlab-event}' },
    ],
    eventId: [
      { template: '{header:webhook-id}' },
      { template: '{header:idempotency-key}' },
      { template: '{sha256}' }, // before GitLab 17.4
    ],
    subject: [
      '/project/path_with_namespace',
      '/path_with_namespace',
      '/project_path_with_namespace',
      '/group/full_path',
      '/group/group_path',
      '/full_path',
      '/group_path',
      '/username',
      '/user_username',
      { template: '{header:x-gitlab-instance}' },
    ],
  },
};
