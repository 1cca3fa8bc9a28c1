import type { Message } from '../../../src/broker/broker';
import { fromAmqpHeaders } from '../../../src/broker/rabbit-headers';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { readDispatchedEvent } from '../../../src/worker/consume/read-message';

const MESSAGE: Message = {
  id: uuidV7(),
  headers: {
    'tenant-id': 'acme',
    'event-type': 'order.paid',
    'received-at': '2026-01-31T12:00:00.000Z',
    'size-bytes': 120,
    'correlation-id': 'c-1',
    'dispatch-no': 2,
    generation: 1,
  },
  body: Buffer.from('{}'),
};

describe('the envelope of a message', () => {
  it('says which dispatch of which event it is', () => {
    expect(readDispatchedEvent(MESSAGE)).toEqual({
      id: MESSAGE.id,
      tenantId: 'acme',
      type: 'order.paid',
      receivedAt: '2026-01-31T12:00:00.000Z',
      sizeBytes: 120,
      correlationId: 'c-1',
      dispatchNo: 2,
      generation: 1,
      body: MESSAGE.body,
    });
  });

  it('is understood with its headers one by one too, as older builds send them', () => {
    const headers = fromAmqpHeaders({ ...MESSAGE.headers, 'x-delivery-count': 1 });
    expect(readDispatchedEvent({ ...MESSAGE, headers })).toEqual(readDispatchedEvent(MESSAGE));
  });

  it('names the revision that it carries, with a negative generation', () => {
    const headers = { ...MESSAGE.headers, generation: -3, revision: 2 };
    expect(readDispatchedEvent({ ...MESSAGE, headers })).toMatchObject({ generation: 3, revision: 2 });
  });

  it.each([
    ['no revision, as the build before sends what it reads in the outbox', { generation: -1 }],
    ['a revision and the generation of the event as it was sent', { revision: 2 }],
    ['the revision that every event has', { generation: -1, revision: 1 }],
    ['a revision that is no number', { generation: -1, revision: '2' }],
  ])('is not ours with %s', (_what, wrong) => {
    expect(readDispatchedEvent({ ...MESSAGE, headers: { ...MESSAGE.headers, ...wrong } })).toBeUndefined();
  });

  it('says when it was published; a value that is no time is left out, because it is only measured', () => {
    const published = (at: unknown) =>
      readDispatchedEvent({ ...MESSAGE, headers: { ...MESSAGE.headers, 'published-at': at } });
    expect(published(1_769_860_800_000)).toMatchObject({ publishedAtMs: 1_769_860_800_000 });
    for (const wrong of [undefined, null, '1769860800000', 1.5, 0, -1, NaN, 1e308])
      expect(published(wrong)).toEqual(readDispatchedEvent(MESSAGE));
  });

  it('may carry headers that we do not know', () => {
    expect(readDispatchedEvent({ ...MESSAGE, headers: { ...MESSAGE.headers, 'x-death': 'x' } })).toBeDefined();
  });

  it.each(['', 'message-1', MESSAGE.id.toUpperCase()])('is not ours with the id %j', (id) => {
    expect(readDispatchedEvent({ ...MESSAGE, id })).toBeUndefined();
  });

  it.each([
    ['tenant-id', ['', 'a b', '-acme', 'a'.repeat(129)]],
    ['event-type', ['', 'x'.repeat(256), 'a\0', '\ud800', 'x'.repeat(10_000_000), ['order.paid']]],
    [
      'received-at',
      ['', 'now', 'infinity', '2026-01-31T12:00:00Z', '2026-02-30T12:00:00.000Z', '2026-01-31T24:00:00.000Z'],
    ],
    ['received-at', ['0001-01-01T00:00:00.000Z', '1999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z']],
    ['size-bytes', [-1, 1.5, NaN, 1e308, Infinity, 2 ** 31, null]],
    ['correlation-id', ['', 'a\n', 'x'.repeat(256), {}]],
    ['dispatch-no', [0, -1, 1.5, 2 ** 31 - 1, 1e18, true]],
    ['generation', [0, 1.5, 2 ** 31 - 1, 1e18, -1e18, [1]]],
    ['form', [0, 2, '1', null]],
    ['entries', [0, 2, '1', null]],
  ])('is not ours if %s does not have the shape in which it was written', (name, values) => {
    for (const value of values) {
      expect(readDispatchedEvent({ ...MESSAGE, headers: { ...MESSAGE.headers, [name]: value } })).toBeUndefined();
    }
  });

  it.each(['', 'x', 7, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`])('is ours without its trace context %j', (trace) => {
    const headers = { ...MESSAGE.headers, traceparent: trace };
    expect(readDispatchedEvent({ ...MESSAGE, headers })).toEqual(readDispatchedEvent(MESSAGE));
  });

  it.each(Object.keys(MESSAGE.headers))(
    'is not ours without the header %s, or with the wrong kind of value',
    (name) => {
      const { [name]: value, ...others } = MESSAGE.headers;
      const wrong = typeof value === 'number' ? String(value) : 7;
      expect(readDispatchedEvent({ ...MESSAGE, headers: others })).toBeUndefined();
      expect(readDispatchedEvent({ ...MESSAGE, headers: { ...others, [name]: wrong } })).toBeUndefined();
    },
  );
});
