import type { Provider } from '../provider';

export const PADDLE: Provider = {
  id: 'paddle',
  name: 'Paddle Billing',
  documentation: 'https://developer.paddle.com/webhooks/about/signature-verification',
  checkedOn: '2026-11-29',
  proof: 'npm @paddle/paddle-node-sdk: webhooks.isSignatureValid',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'paddle-signature',
    part: 'h1',
    signed: '{header:paddle-signature/ts}:{body}',
    // Paddle's packages tolerate 5 s, by which the clocks of two machines may differ. Copies are found by their id.
    timestamp: { header: 'paddle-signature', part: 'ts', toleranceSeconds: 60 },
  },
  secret: 'the secret key of the notification destination (pdl_ntfset_…)',
  mapping: {
    eventType: '/event_type',
    eventId: '/event_id',
    subject: ['/data/id', '/event_id'],
    occurredAt: '/occurred_at',
  },
};
