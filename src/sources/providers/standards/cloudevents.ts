import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

export const CLOUDEVENTS: Provider = {
  id: 'cloudevents',
  name: 'CloudEvents 1.0 (structured, binary, batched)',
  documentation: 'https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md',
  checkedOn: '2026-11-29',
  proof: 'the exchange in the specification, and npm @azure/web-pubsub-express, which answers it',
  verification: { scheme: 'token', header: 'authorization', prefix: 'Bearer ' },
  secret: 'the bearer token that the sender is given',
  format: 'cloudevents',
  mapping: { records: '' },
  handshakes: HANDSHAKES.cloudevents,
};
