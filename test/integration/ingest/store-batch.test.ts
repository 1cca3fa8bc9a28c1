import type { Pool } from 'pg';
import type { PreparedEvent } from '../../../src/event/prepare-event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { storeEvents } from '../../../src/ingest/store/store-batch.queries';
import { prepared } from '../../support/events';
import { useWriters } from '../../support/fixtures/writers';
import { countRows } from '../../support/rows';
import { kinds, poison, twins } from '../../support/prepared-variants';

const writers = useWriters();
const { store } = writers;

const isStored = async ({ event }: PreparedEvent): Promise<boolean> =>
  (await countRows(writers.pool, `events where id = '${event.id}'`)) === 1;

const isFree = async (digest: string | undefined): Promise<boolean> =>
  (await countRows(writers.pool, `idempotency_keys where digest = '\\x${digest}'`)) === 0;

describe('storeBatch', () => {
  it('I1: writes event, keys and outbox entry together', async () => {
    const before = [await countRows(writers.pool, 'idempotency_keys'), await countRows(writers.pool, 'outbox')];
    const event = prepared({ eventId: 'first' });
    await expect(storeBatch(writers.pool, [event])).resolves.toMatchObject([
      { kind: 'accepted', committed: { id: event.event.id, eventId: 'first', fingerprint: event.fingerprint } },
    ]);
    const after = [await countRows(writers.pool, 'idempotency_keys'), await countRows(writers.pool, 'outbox')];
    expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual([1, 1]);
    const { rows } = await writers.pool.query(
      `select o.destination, o.status, o.dispatch_no, o.generation, o.attempts
         from events e join outbox o on o.id = e.outbox_id and o.event_id = e.id where e.id = $1`,
      [event.event.id],
    );
    expect(rows).toEqual([{ destination: 'main', status: 'PENDING', dispatch_no: 1, generation: 1, attempts: 0 }]);
  });

  it('I1: writes nothing when one part cannot be written', async () => {
    const client = await writers.pool.connect();
    const event = prepared({ eventId: 'no outbox' }, { idempotencyKey: 'no outbox' });
    try {
      await client.query('begin');
      await client.query('alter table outbox rename to outbox_away');
      await expect(storeEvents(client, [event])).rejects.toMatchObject({ code: '42P01' });
    } finally {
      await client.query('rollback');
      client.release();
    }
    await expect(isStored(event)).resolves.toBe(false);
    await expect(isFree(event.keyDigest)).resolves.toBe(true);
    await expect(isFree(event.eventIdDigest)).resolves.toBe(true);
  });

  it('stores the event exactly: payload text, times, trace and size', async () => {
    const payload = '{"price": 10.10, "big":12345678901234567890,"e":1e3, "ü":"\\u00e4 😀", "z":1,"a":[ ]}';
    const event = prepared(
      { occurredAt: '2026-01-31T13:00:00.5+01:00' },
      { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    );
    event.event.payloadJson = payload;
    await store(event);
    const { rows } = await writers.pool.query(
      `select payload, occurred_at, received_at, traceparent, size_bytes, encode(hash, 'hex') as hash, tenant_id
         from events where id = $1`,
      [event.event.id],
    );
    expect(rows).toEqual([
      {
        payload,
        occurred_at: '2026-01-31T12:00:00.500Z',
        received_at: event.event.receivedAt,
        traceparent: event.event.traceparent,
        size_bytes: event.event.sizeBytes,
        hash: event.event.hash,
        tenant_id: 'acme',
      },
    ]);
  });

  it('accepts an empty batch', async () => {
    await expect(storeBatch(writers.pool, [])).resolves.toEqual([]);
  });

  it('queues the events of a batch in the order in which they were prepared', async () => {
    const batch = Array.from({ length: 50 }, () => prepared());
    await store(...[...batch].reverse());
    const { rows } = await writers.pool.query<{ id: string }>(
      'select id from events where id = any ($1::uuid[]) order by outbox_id',
      [batch.map(({ event }) => event.id)],
    );
    expect(rows.map(({ id }) => id)).toEqual(batch.map(({ event }) => event.id));
  });
});

describe('I2: duplicates', () => {
  it('within a batch get the first event of that batch', async () => {
    const [first, second, third] = twins(3) as [PreparedEvent, PreparedEvent, PreparedEvent];
    const other = prepared();
    const results = await storeBatch(writers.pool, [first, other, second, third]);
    expect(kinds(results)).toEqual(['accepted', 'accepted', 'duplicate', 'duplicate']);
    expect(results[2]).toMatchObject({ of: { id: first.event.id, receivedAt: first.event.receivedAt } });
  });

  it('of a stored event get that event, with the facts of the first receipt', async () => {
    const [first, second] = twins(2, { eventId: 'stored-once' }) as [PreparedEvent, PreparedEvent];
    await store(first);
    const { id, eventId, receivedAt, correlationId, hash } = first.event;
    await expect(storeBatch(writers.pool, [second])).resolves.toEqual([
      {
        kind: 'duplicate',
        by: 'key',
        layer: 'database',
        of: {
          id,
          eventId,
          receivedAt,
          correlationId,
          hash,
          fingerprint: first.fingerprint,
          history: expect.any(String) as string,
        },
      },
    ]);
    await expect(isStored(second)).resolves.toBe(false);
  });

  it.each([
    ['found by their content', {}, undefined],
    ['found by an explicit key', {}, 'key of fifty'],
    ['with an eventId and an explicit key', { eventId: 'fifty' }, 'other key of fifty'],
  ])('stored fifty at a time over several pools are one event: %s', async (_, fields, key) => {
    const events = twins(50, fields, key);
    const results = await Promise.all(events.map((event, i) => storeBatch(writers.pools[i % 4] as Pool, [event])));
    const found = kinds(results.flat());
    expect(found.filter((kind) => kind === 'accepted')).toHaveLength(1);
    expect(found.filter((kind) => kind === 'duplicate')).toHaveLength(49);
    const winner = events[found.indexOf('accepted')] as PreparedEvent;
    for (const result of results.flat()) {
      if (result.kind === 'duplicate') expect(result.of.id).toBe(winner.event.id);
    }
    await expect(countRows(writers.pool, `events where subject = '${winner.event.subject}'`)).resolves.toBe(1);
    await expect(countRows(writers.pool, `outbox where event_id = '${winner.event.id}'`)).resolves.toBe(1);
  });

  it('of an event past its retention are still recognised by their key', async () => {
    const [first, second] = twins(2) as [PreparedEvent, PreparedEvent];
    await store(first);
    await writers.pool.query('delete from events where id = $1', [first.event.id]);
    await expect(storeBatch(writers.pool, [second])).resolves.toMatchObject([
      { kind: 'duplicate', of: { id: first.event.id } },
    ]);
  });

  it('in different tenants are different events', async () => {
    const subject = uuidV7();
    const events = ['a', 'ab', 'acme'].map((tenantId) => prepared({ subject }, { tenantId, idempotencyKey: 'same' }));
    await expect(store(...events)).resolves.toEqual(['accepted', 'accepted', 'accepted']);
  });
});

describe('conflicts', () => {
  it('a used explicit key with different content is rejected, and the eventId sent with it stays free', async () => {
    const idempotencyKey = 'reused';
    await store(prepared({}, { idempotencyKey }));
    const other = prepared({ eventId: 'stays free 1' }, { idempotencyKey });
    await expect(store(other)).resolves.toEqual(['idempotency-key-reused']);
    await expect(isStored(other)).resolves.toBe(false);
    await expect(isFree(other.eventIdDigest)).resolves.toBe(true);
    await expect(store(prepared({ eventId: 'stays free 1' }))).resolves.toEqual(['accepted']);
  });

  it('a used eventId with different content is rejected, and the key sent with it stays free', async () => {
    await store(prepared({ eventId: 'conflict' }));
    const other = prepared({ eventId: 'conflict' }, { idempotencyKey: 'stays free 2' });
    await expect(store(other)).resolves.toEqual(['event-id-conflict']);
    await expect(isFree(other.keyDigest)).resolves.toBe(true);
    await expect(store(prepared({}, { idempotencyKey: 'stays free 2' }))).resolves.toEqual(['accepted']);
  });

  it('the same content under a used explicit key is a duplicate, and its new eventId stays free', async () => {
    const [first, second] = twins(2, {}, 'taken') as [PreparedEvent, PreparedEvent];
    const withEventId = prepared(
      { subject: first.event.subject, eventId: 'stays free 3' },
      { idempotencyKey: 'taken' },
    );
    await expect(store(first)).resolves.toEqual(['accepted']);
    await expect(store(second, withEventId)).resolves.toEqual(['duplicate', 'duplicate']);
    await expect(isFree(withEventId.eventIdDigest)).resolves.toBe(true);
  });

  it('are also found within one batch, in its order', async () => {
    const batch = [
      prepared({ eventId: 'in batch' }, { idempotencyKey: 'in batch 1' }),
      prepared({ eventId: 'in batch' }, { idempotencyKey: 'in batch 2' }), // conflicts by its eventId
      prepared({ eventId: 'in batch too' }, { idempotencyKey: 'in batch 1' }), // conflicts by its key
      prepared({ eventId: 'in batch too' }, { idempotencyKey: 'in batch 2' }), // both were left free
    ];
    await expect(store(...batch)).resolves.toEqual([
      'accepted',
      'event-id-conflict',
      'idempotency-key-reused',
      'accepted',
    ]);
  });

  it('wait for an earlier event of the batch that may take one of their keys', async () => {
    const content = { subject: 'the same' };
    const key = { idempotencyKey: 'taken key' };
    const batch = [
      prepared({ eventId: 'taken id' }),
      prepared({ eventId: 'taken id', ...content }, key), // conflicts by its eventId, which frees its key
      prepared(content, key), // takes that key
      prepared({ eventId: 'taken id', ...content }, key), // hence a duplicate, despite its eventId
    ];
    await expect(store(...batch)).resolves.toEqual(['accepted', 'event-id-conflict', 'accepted', 'duplicate']);
  });

  it('I10: are decided in a long chain within one batch, without affecting the other events', async () => {
    const neighbour = prepared();
    const chain = Array.from({ length: 100 }, (_, i) => [
      prepared({ eventId: `chain-${i}` }, { idempotencyKey: `chain-${i}` }), // free once the event before was rejected
      prepared({ eventId: `chain-${i}` }, { idempotencyKey: `chain-${i + 1}` }),
    ]).flat();
    const results = await store(...chain, neighbour);
    expect(results.filter((kind) => kind === 'accepted')).toHaveLength(101);
    expect(results.filter((kind) => kind === 'event-id-conflict')).toHaveLength(100);
    expect(results.at(-1)).toBe('accepted');
  });
});

describe('I10: an event that PostgreSQL rejects', () => {
  it('is rejected alone: its neighbours are accepted and its keys stay free', async () => {
    const batch = Array.from({ length: 21 }, (_, i) =>
      prepared({ eventId: `neighbour-${i}` }, { idempotencyKey: `neighbour-${i}` }),
    );
    const bad = poison(batch[10]);
    batch[10] = bad;
    const results = await store(...batch);
    expect(results.filter((kind) => kind === 'accepted')).toHaveLength(20);
    expect(results[10]).toBe('invalid-event');
    expect(await Promise.all(batch.map(isStored))).toEqual(batch.map((_, i) => i !== 10));
    await expect(isFree(bad.keyDigest)).resolves.toBe(true);
    await expect(isFree(bad.eventIdDigest)).resolves.toBe(true);
  });

  it('leaves its key to the next event of the same batch', async () => {
    const [bad, good] = twins(2, {}, 'key of a poison event') as [PreparedEvent, PreparedEvent];
    await expect(store(poison(bad), good)).resolves.toEqual(['invalid-event', 'accepted']);
  });

  it('is isolated among several of its kind', async () => {
    const batch = Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? poison() : prepared()));
    await expect(store(...batch)).resolves.toEqual(batch.map((_, i) => (i % 3 === 0 ? 'invalid-event' : 'accepted')));
  });

  it('does not hide that a neighbour is a duplicate', async () => {
    const [first, second] = twins(2) as [PreparedEvent, PreparedEvent];
    await store(first);
    await expect(store(prepared(), poison(), second)).resolves.toEqual(['accepted', 'invalid-event', 'duplicate']);
  });
});
