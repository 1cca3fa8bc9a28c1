import type { Provider } from '../provider';

export const HUBSPOT: Provider = {
  id: 'hubspot',
  name: 'HubSpot',
  documentation:
    'https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation',
  checkedOn: '2026-11-29',
  proof: 'npm @hubspot/api-client: Signature.getSignature (v3)',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    header: 'x-hubspot-signature-v3',
    signed: '{method}{decodedUrl}{body}{header:x-hubspot-request-timestamp}',
    timestamp: { header: 'x-hubspot-request-timestamp', unit: 'ms', toleranceSeconds: 300 },
  },
  secret: 'the client secret of the app',
  changedByRetries: ['/attemptNumber'],
  mapping: {
    records: '',
    eventType: '/subscriptionType',
    // HubSpot does not promise that eventId is unique by itself.
    eventId: { template: '{body:/subscriptionId}.{body:/eventId}.{body:/occurredAt}' },
    subject: ['/objectId', '/fromObjectId', '/portalId'],
    occurredAt: '/occurredAt',
  },
};
