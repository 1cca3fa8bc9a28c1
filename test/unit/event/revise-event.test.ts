import type { Event } from '../../../src/event/event';
import { prepareEvent, type RequestContext } from '../../../src/event/prepare-event';
import { prepareStructured } from '../../../src/event/cloud-event/prepare-cloud-event';
import { reviseEvent } from '../../../src/event/revise-event';
import { testSettings } from '../../support/app';
import { prepared } from '../../support/events';

const RULES = { MAX_EVENT_BYTES: 100 };
const revised = (event: Event, payload: string) => reviseEvent(event, payload, { MAX_EVENT_BYTES: 10_000 });

const CONTEXT: RequestContext = {
  tenantId: 'acme',
  correlationId: 'c-1',
  traceparent: undefined,
  idempotencyKey: undefined,
};

describe('the hash of a revision', () => {
  const payload = '{ "amount": 10.10, "id": 12345678901234567890 }';
  const sent = (fields: string, context: Partial<RequestContext> = {}): Event => {
    const text = `{"eventType":"order.paid","subject":"o-1",${fields}"payload":${payload}}`;
    const made = prepareEvent(Buffer.from(text), { ...CONTEXT, ...context }, testSettings());
    if (!('prepared' in made)) throw new Error(made.rejection.message);
    return made.prepared.event;
  };

  it.each([
    ['an event without a time', sent('')],
    ['an event with a time', sent('"occurredAt":"2026-01-31T13:00:00.5+01:00",')],
    ['an event with all fields', sent('"source":"pos","partitionKey":"k","schemaVersion":"2","specVersion":"9",')],
    [
      'an event of a source',
      sent('"source":"shop",', {
        received: {
          sourceId: '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a',
          requestId: 'r',
          requestJson: '{}',
          body: undefined,
        },
      }),
    ],
  ])('is that of the event for the same payload, however it is written: %s', (_what, event) => {
    expect(revised(event, '{"id":12345678901234567890,"amount":10.1}')).toMatchObject({
      revised: { hash: event.hash, sizeBytes: 41 },
    });
    expect(revised(event, '{"id":12345678901234567891,"amount":10.1}')).not.toMatchObject({
      revised: { hash: event.hash },
    });
  });

  it('covers the extensions of a CloudEvent', () => {
    const cloud = {
      ...{ specversion: '1.0', id: 'e-1', source: '/shop', type: 'order.paid', subject: 'o-1', shard: 7 },
      ...{ partitionkey: 'k', datacontenttype: 'application/json', data: { amount: 1 } },
    };
    const made = prepareStructured(Buffer.from(JSON.stringify(cloud)), CONTEXT, testSettings());
    if (!('prepared' in made)) throw new Error(made.rejection.message);
    const { event } = made.prepared;
    expect(event.extensionsJson).toBeDefined();
    expect(revised(event, '{"amount":1}')).toMatchObject({ revised: { hash: event.hash } });
    expect(revised({ ...event, extensionsJson: '{"shard":8}' }, '{"amount":1}')).not.toMatchObject({
      revised: { hash: event.hash },
    });
  });
});

describe('a revision is checked as an event is', () => {
  const { event } = prepared();

  it.each([
    ['larger than the maximum', JSON.stringify('x'.repeat(99)), 'event-too-large'],
    ['too deep', '['.repeat(65) + ']'.repeat(65), 'event-too-large'],
    ['with U+0000', '{"a":"\\u0000"}', 'unsupported-character'],
    ['with a lone surrogate in a name', '{"\\ud800":1}', 'unsupported-character'],
  ])('%s', (_what, payload, code) => {
    expect(reviseEvent(event, payload, RULES)).toMatchObject({ rejection: { code } });
  });

  it('deeper than 64 levels, but not of 64', () => {
    expect(revised(event, '['.repeat(65) + ']'.repeat(65))).toMatchObject({ rejection: { code: 'invalid-event' } });
    expect(revised(event, '['.repeat(64) + ']'.repeat(64))).toHaveProperty('revised');
  });

  it('and stays as it was written', () => {
    const payload = '{ "b": 1e3, "a" : 10.10,"b":2, "__proto__": {"constructor":[ ]} }';
    expect(revised(event, payload)).toMatchObject({ revised: { payloadJson: payload } });
  });
});
