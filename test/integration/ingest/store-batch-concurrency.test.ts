import fc from 'fast-check';
import type { Pool, QueryResult } from 'pg';
import { createPool } from '../../../src/db/pool';
import type { PreparedEvent } from '../../../src/event/prepare-event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import type { StoreResult } from '../../../src/ingest/store/store-batch';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { storeEvents } from '../../../src/ingest/store/store-batch.queries';
import { prepared } from '../../support/events';
import { useWriters } from '../../support/fixtures/writers';
import { freePort } from '../../support/processes/free-port';
import { countRows } from '../../support/rows';
import { kinds, poison, POISON_PAYLOAD } from '../../support/prepared-variants';

const writers = useWriters();
const { store } = writers;

describe('a statement whose response was lost', () => {
  it('returns accepted again for the same ids, and stores nothing twice', async () => {
    const batch = [prepared(), prepared({ eventId: 'sent again' }), prepared({}, { idempotencyKey: 'sent again' })];
    await expect(store(...batch)).resolves.toEqual(['accepted', 'accepted', 'accepted']);
    await expect(store(...batch)).resolves.toEqual(['accepted', 'accepted', 'accepted']);
    const ids = batch.map(({ event }) => `'${event.id}'`).join();
    await expect(countRows(writers.pool, `events where id in (${ids})`)).resolves.toBe(3);
    await expect(countRows(writers.pool, `outbox where event_id in (${ids})`)).resolves.toBe(3);
  });

  it('is retried automatically when the connection broke after the commit', async () => {
    let broken = 0;
    const losesFirstAnswer = {
      query: async (statement: { text: string; values: unknown[] }): Promise<QueryResult> => {
        const answer = await writers.pool.query(statement);
        if (broken++ === 0) throw new Error('Connection terminated unexpectedly');
        return answer;
      },
    } as unknown as Pool;
    const event = prepared({ eventId: 'lost answer' });
    expect(kinds(await storeBatch(losesFirstAnswer, [event]))).toEqual(['accepted']);
    expect(broken).toBeGreaterThan(1);
    await expect(countRows(writers.pool, `outbox where event_id = '${event.event.id}'`)).resolves.toBe(1);
  });

  it('fails with storage-unavailable when the database stays unreachable', async () => {
    const nowhere = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'nowhere');
    await expect(storeBatch(nowhere, [prepared()])).rejects.toMatchObject({
      name: 'Problem',
      code: 'storage-unavailable',
      extras: { retryAfterSeconds: 2 },
    });
    await nowhere.end();
  });
});

describe('concurrent writers', () => {
  it('claim the same keys in opposite order without a deadlock', async () => {
    for (let round = 0; round < 20; round++) {
      const forward = Array.from({ length: 100 }, () => prepared());
      const backward = forward.map(({ event: { subject } }) => prepared({ subject })).reverse();
      // storeEvents does not retry after a deadlock; storeBatch would.
      const [a, b] = await Promise.all([
        storeEvents(writers.pools[0] as Pool, forward),
        storeEvents(writers.pools[1] as Pool, backward),
      ]);
      expect(a.stored.length + b.stored.length).toBe(100);
    }
  });

  it('lose and duplicate nothing, whichever keys they compete for', async () => {
    const record = fc.record({
      key: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      eventId: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      content: fc.integer({ min: 0, max: 2 }),
      poisoned: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    });
    const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(batches, async (plan) => {
        const tenantId = `model-${uuidV7()}`;
        const written = plan.map((records) =>
          records.map(({ key, eventId, content, poisoned }) => {
            const fields = {
              subject: 's',
              payload: content,
              ...(eventId === undefined ? {} : { eventId: `e${eventId}` }),
            };
            const idempotencyKey = key === undefined ? undefined : `k${key}`;
            const event = prepared(fields, { tenantId, idempotencyKey });
            return poisoned ? poison(event) : event;
          }),
        );
        const results = await Promise.all(written.map((batch, i) => storeBatch(writers.pools[i % 4] as Pool, batch)));
        await expectConsistent(tenantId, written.flat(), results.flat());
      }),
      { numRuns: 60 },
    );
  });

  async function expectConsistent(tenantId: string, events: PreparedEvent[], results: StoreResult[]): Promise<void> {
    const { rows: stored } = await writers.pool.query<{ id: string; entries: number; keys: string[] }>(
      `select e.id, (select count(*)::int from outbox o where o.event_id = e.id and o.id = e.outbox_id) as entries,
              (select array_agg(encode(digest, 'hex')) from idempotency_keys k where k.event_id = e.id) as keys
         from events e where tenant_id = $1 order by id`,
      [tenantId],
    );
    const accepted = events.filter((_, i) => results[i]?.kind === 'accepted');
    // Every accepted id is stored exactly once, with one entry and all of its keys, and nothing else is stored.
    expect(stored.map(({ id, entries, keys }) => ({ id, entries, keys: keys.sort() }))).toEqual(
      accepted
        .map(({ event, keyDigest, eventIdDigest }) => ({
          id: event.id,
          entries: 1,
          keys: [keyDigest, ...(eventIdDigest ? [eventIdDigest] : [])].sort(),
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    const holderOf = new Map(stored.flatMap(({ id, keys }) => keys.map((key) => [key, id] as const)));
    const contentOf = new Map(events.map(({ event, fingerprint }) => [event.id, fingerprint]));
    events.forEach(({ keyDigest, eventIdDigest, fingerprint, event }, i) => {
      const result = results[i] as StoreResult;
      const holder = holderOf.get(keyDigest);
      const byEventId = eventIdDigest === undefined ? undefined : holderOf.get(eventIdDigest);
      if (result.kind === 'duplicate') {
        expect([holder, byEventId]).toContain(result.of.id);
        expect(contentOf.get(result.of.id)).toBe(fingerprint);
      } else if (result.kind === 'rejected' && result.rejection.code === 'idempotency-key-reused') {
        expect(contentOf.get(holder as string)).not.toBe(fingerprint);
      } else if (result.kind === 'rejected' && result.rejection.code === 'event-id-conflict') {
        expect(contentOf.get(byEventId as string)).not.toBe(fingerprint);
      } else if (result.kind === 'rejected') {
        expect(event.payloadJson).toBe(POISON_PAYLOAD);
      }
    });
    const orphans = `idempotency_keys k where not exists (select from events e where e.id = k.event_id)
                       and k.digest in (${events.map(({ keyDigest }) => `'\\x${keyDigest}'`).join()})`;
    await expect(countRows(writers.pool, orphans)).resolves.toBe(0);
  }
});
