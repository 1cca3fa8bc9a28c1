import type { Provider } from '../provider';

export const PAGERDUTY: Provider = {
  id: 'pagerduty',
  name: 'PagerDuty (webhooks v3)',
  documentation: 'https://developer.pagerduty.com/docs/verifying-webhook-signatures',
  checkedOn: '2026-11-29',
  proof: 'the example in webhookv3_test.go of PagerDuty/go-pagerduty',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-pagerduty-signature',
    part: 'v1',
    signed: '{body}',
  },
  secret: 'the secret of the subscription',
  mapping: {
    eventType: '/event/event_type',
    eventId: '/event/id',
    subject: ['/event/data/incident/id', '/event/data/id', '/event/id'],
    occurredAt: '/event/occurred_at',
  },
};
