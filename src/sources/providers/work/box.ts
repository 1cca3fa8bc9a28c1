import type { Provider } from '../provider';

/** Box signs with a primary and a secondary key. Either signature will do. */
export const BOX: Provider = {
  id: 'box',
  name: 'Box (webhooks v2)',
  documentation: 'https://developer.box.com/guides/webhooks/v2/signatures-v2/',
  checkedOn: '2026-11-29',
  proof: 'the example of box/samples, box-node-webhook-to-lambda-sample',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    signature: '{header:box-signature-primary?},{header:box-signature-secondary?}',
    separator: ',',
    signed: '{body}{header:box-delivery-timestamp}',
    timestamp: { header: 'box-delivery-timestamp', unit: 'rfc3339', toleranceSeconds: 600 },
  },
  secret: 'the primary or the secondary signature key of the app, or both',
  mapping: {
    eventType: '/trigger',
    eventId: '/id',
    subject: ['/source/id', '/webhook/id'],
    occurredAt: '/created_at',
  },
};
