import { withHeaders, type Proof } from '../../../../support/sources/proof';
import { handshakeSamples } from '../../handshakes/documented-exchanges';

const PAID =
  '{"specversion":"1.0","id":"A234-1234-1234","source":"https://example.com/orders","type":"com.example.order.paid","subject":"o-17","time":"2026-11-29T11:59:58Z","datacontenttype":"application/json","data":{"total":12}}';
const SENT =
  '{"specversion":"1.0","id":"B1","source":"https://example.com/orders","type":"com.example.order.sent","subject":"o-17","time":"2026-11-29T12:59:59+01:00","data":{"total":12}}';
const PAID_EVENT = {
  eventType: 'com.example.order.paid',
  subject: 'o-17',
  eventId: 'A234-1234-1234',
  occurredAt: '2026-11-29T11:59:58.000Z',
  payload: '{"total":12}',
};

/** https://www.rfc-editor.org/rfc/rfc6750#section-2.1, which the specification of CloudEvents web hooks refers to */
const RFC_6750 = {
  secret: 'mF_9.B5f-4.1JqM',
  request: { headers: { authorization: 'Bearer mF_9.B5f-4.1JqM' }, body: PAID },
};

export const proof: Proof = {
  provider: 'cloudevents',
  outside: { documents: 'RFC 6750' },
  secrets: ['bearer-token-of-the-sender-1', 'bearer-token-of-the-sender-2'],
  sign: (request, secret) => withHeaders(request, { authorization: `Bearer ${secret}` }),
  examples: [RFC_6750],
  signed: ['authorization'],
  alteredBodies: () => [],
  samples: [
    {
      request: { headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' }, body: PAID },
      events: [PAID_EVENT],
    },
    {
      request: { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: `[${PAID},${SENT}]` },
      events: [
        PAID_EVENT,
        {
          eventType: 'com.example.order.sent',
          subject: 'o-17',
          eventId: 'B1',
          occurredAt: '2026-11-29T11:59:59.000Z',
          payload: '{"total":12}',
        },
      ],
    },
  ],
  handshakes: handshakeSamples('cloudevents'),
};
