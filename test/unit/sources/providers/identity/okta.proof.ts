import { withHeaders, type Proof } from '../../../../support/sources/proof';
import { handshakeSamples } from '../../handshakes/documented-exchanges';

/** https://developer.okta.com/docs/concepts/event-hooks/, shortened */
const CREATED =
  '{"uuid":"a2d3fa10-2be9-11ef-9d4c-4dd5e0f0c001","published":"2026-11-29T11:59:58.000Z","eventType":"user.lifecycle.create","version":"0","severity":"INFO","displayMessage":"Create okta user","actor":{"id":"00uttidj01jqL21aM1d6","type":"User"},"target":[{"id":"00u1abcd2EFGH3ijk4l5","type":"User","alternateId":"ada@example.com"}],"outcome":{"result":"SUCCESS"}}';
const STARTED =
  '{"uuid":"a2d3fa10-2be9-11ef-9d4c-4dd5e0f0c002","published":"2026-11-29T11:59:59.000Z","eventType":"user.session.start","version":"0","severity":"INFO","actor":{"id":"00uttidj01jqL21aM1d6","type":"User"},"target":null,"outcome":{"result":"SUCCESS"}}';
const BODY = `{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1","source":"https://example.okta.com/api/v1/eventHooks/who3xfsj6l8gPOsh10g3","eventId":"b5a188b9-5ece-4636-b041-482ffda96311","eventTime":"2026-11-29T12:00:00.000Z","contentType":"application/json","data":{"events":[${CREATED},${STARTED}]}}`;

export const proof: Proof = {
  provider: 'okta',
  outside: { documents: 'https://developer.okta.com/docs/concepts/event-hooks/' },
  secrets: ['okta-authentication-secret-1', 'okta-authentication-secret-2'],
  sign: (request, secret) => withHeaders(request, { authorization: secret }),
  signed: ['authorization'],
  alteredBodies: () => [],
  samples: [
    {
      request: { body: BODY },
      events: [
        {
          eventType: 'user.lifecycle.create',
          eventId: 'a2d3fa10-2be9-11ef-9d4c-4dd5e0f0c001',
          subject: '00u1abcd2EFGH3ijk4l5',
          occurredAt: '2026-11-29T11:59:58.000Z',
          payload: CREATED,
        },
        {
          eventType: 'user.session.start',
          eventId: 'a2d3fa10-2be9-11ef-9d4c-4dd5e0f0c002',
          subject: '00uttidj01jqL21aM1d6',
          occurredAt: '2026-11-29T11:59:59.000Z',
          payload: STARTED,
        },
      ],
    },
  ],
  handshakes: handshakeSamples('okta'),
};
