import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

export const OKTA: Provider = {
  id: 'okta',
  name: 'Okta (event hooks)',
  documentation: 'https://developer.okta.com/docs/concepts/event-hooks/',
  checkedOn: '2026-11-29',
  proof: 'the exchange in the documentation: Okta signs nothing',
  verification: { scheme: 'token', header: 'authorization' },
  secret: 'the authentication secret of the event hook, with `Authorization` as its authentication field',
  mapping: {
    records: '/data/events',
    eventType: '/eventType',
    eventId: '/uuid',
    subject: ['/target/0/id', '/actor/id', '/uuid'],
    occurredAt: '/published',
  },
  handshakes: HANDSHAKES.okta,
};
