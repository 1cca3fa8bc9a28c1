import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

export const ZOOM: Provider = {
  id: 'zoom',
  name: 'Zoom',
  documentation: 'https://developers.zoom.us/docs/api/webhooks/',
  checkedOn: '2026-11-29',
  proof: 'npm @zoom/rivet: AwsLambdaReceiver',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-zm-signature',
    prefix: 'v0=',
    signed: 'v0:{header:x-zm-request-timestamp}:{body}',
    timestamp: { header: 'x-zm-request-timestamp', toleranceSeconds: 300 },
  },
  secret: 'the secret token of the app',
  mapping: {
    eventType: '/event',
    subject: ['/payload/object/id', '/payload/object/uuid', '/payload/account_id'],
    occurredAt: '/event_ts',
  },
  handshakes: HANDSHAKES.zoom,
};
