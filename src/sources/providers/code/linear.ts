import type { Provider } from '../provider';

export const LINEAR: Provider = {
  id: 'linear',
  name: 'Linear',
  documentation: 'https://linear.app/developers/webhooks',
  checkedOn: '2026-11-29',
  proof: 'npm @linear/sdk: LinearWebhookClient.verify',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'linear-signature',
    signed: '{body}',
    // The header linear-timestamp is not signed.
    timestamp: { value: '{body:/webhookTimestamp}', unit: 'ms', toleranceSeconds: 60 },
  },
  secret: 'the signing secret (lin_wh_…) of the webhook',
  changedByRetries: ['/webhookTimestamp'],
  mapping: {
    eventType: { template: '{body:/type}.{body:/action}' },
    // webhookId is the id of the webhook, not of the event.
    eventId: { template: '{header:linear-delivery}' },
    subject: ['/data/id', '/issueData/id', '/agentSession/id', '/notification/id', '/oauthClientId', '/organizationId'],
    occurredAt: '/createdAt',
  },
};
