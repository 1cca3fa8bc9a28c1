import type { Provider } from '../provider';

/** Bitbucket Cloud and Data Center, which sign alike. */
export const BITBUCKET: Provider = {
  id: 'bitbucket',
  name: 'Bitbucket',
  documentation: 'https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/',
  checkedOn: '2026-11-29',
  proof: "the worked example of Atlassian's documentation",
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-hub-signature',
    prefix: 'sha256=',
    signed: '{body}',
  },
  secret: 'the secret of the webhook',
  // Bitbucket does not say that its request ids stay the same over retries, so copies are found by their content.
  mapping: {
    eventType: { template: '{header:x-event-key}' },
    subject: [
      '/repository/full_name',
      { template: '{body:/repository/project/key}/{body:/repository/slug}' },
      {
        template: '{body:/pullRequest/toRef/repository/project/key}/{body:/pullRequest/toRef/repository/slug}',
      },
      '/project/key',
      '/new/key',
      '/workspace/slug',
      { template: '{header:x-hook-uuid}' },
      { template: '{header:x-event-key}' },
    ],
  },
};
