import { always } from '../../directory/answers';
import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

/** Webhook events. Interactions want an answer within 3 s that only an application can give, so they are not covered. */
export const DISCORD: Provider = {
  id: 'discord',
  name: 'Discord webhook events',
  documentation: 'https://discord.com/developers/docs/events/webhook-events',
  checkedOn: '2026-11-29',
  proof: 'npm discord-interactions: verifyKey',
  verification: {
    scheme: 'ed25519',
    encoding: 'hex',
    keyEncoding: 'hex',
    header: 'x-signature-ed25519',
    signed: '{header:x-signature-timestamp}{body}',
  },
  secret: 'the public key of the application, 64 hexadecimal digits',
  // Discord gives events no id, and their times no offset.
  mapping: {
    eventType: '/event/type',
    subject: ['/event/data/user/id', '/event/data/id', '/event/data/user_id', '/application_id'],
  },
  handshakes: HANDSHAKES.discord,
  answers: always({ status: 204 }),
};
