import type { Provider } from '../provider';

export const GITHUB: Provider = {
  id: 'github',
  name: 'GitHub',
  documentation: 'https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries',
  checkedOn: '2026-11-29',
  proof: 'npm @octokit/webhooks-methods: sign',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-hub-signature-256',
    prefix: 'sha256=',
    signed: '{body}',
  },
  secret: 'the secret of the webhook',
  jsonField: 'payload',
  mapping: {
    eventType: [{ template: '{header:x-github-event}.{body:/action}' }, { template: '{header:x-github-event}' }],
    eventId: { template: '{header:x-github-delivery}' },
    subject: [
      '/repository/full_name',
      '/organization/login',
      '/installation/account/login',
      '/enterprise/slug',
      '/security_advisory/ghsa_id',
      '/marketplace_purchase/account/login',
      '/sponsorship/sponsorable/login',
      '/sender/login',
      '/hook_id',
    ],
  },
};
