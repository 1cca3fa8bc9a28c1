import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

/** Webhooks of the Graph API: WhatsApp, Messenger, Instagram, pages. */
export const META: Provider = {
  id: 'meta',
  name: 'Meta (WhatsApp, Messenger, Instagram, Facebook)',
  documentation: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
  checkedOn: '2026-11-29',
  proof: 'npm whatsapp@0.0.5-Alpha (1.0.0 is not from Meta): generateXHub256Sig',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'hex',
    header: 'x-hub-signature-256',
    prefix: 'sha256=',
    signed: '{body}',
  },
  secret: 'the app secret. Any text will do as the verify token',
  mapping: {
    records: '/entry',
    // Messenger and Instagram messages have no field: the object is their type.
    eventType: ['/changes/0/field', '$body.object'],
    subject: '/id',
  },
  handshakes: HANDSHAKES.meta,
};
