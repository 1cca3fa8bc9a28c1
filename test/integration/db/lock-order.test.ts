import type { Pool } from 'pg';
import { errorCode } from '../../../src/db/pg-errors';
import { createPool } from '../../../src/db/pool';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { forgetAudit } from '../../support/audit';
import { useDatabase } from '../../support/fixtures/database';
import { DELIVERY_LOCKERS, layDeliveries, layFailures } from '../../support/locking/delivery-lockers';
import { ERASURE_LOCKERS } from '../../support/locking/erasure-lockers';
import { EVENT_LOCKERS } from '../../support/locking/event-lockers';
import type { LockedRows, LockedTable, Locker } from '../../support/locking/locker';
import { OTHER_LOCKERS, preparedFor, TOKEN } from '../../support/locking/other-lockers';
import { layRejections, REJECTION_LOCKERS } from '../../support/locking/rejection-lockers';

const ROWS = 200;
const ROUNDS = 3;
const LOCKERS = [...EVENT_LOCKERS, ...DELIVERY_LOCKERS, ...ERASURE_LOCKERS, ...OTHER_LOCKERS, ...REJECTION_LOCKERS];

/**
 * These close the entries of one lease, which nobody else locks, or delete entries that were closed hours ago. They never
 * meet another statement on a row, so the order in which they lock is free.
 */
const ALONE = ['markPublished', 'releaseEntries', 'markFailed', 'deleteStrayEntries'];

/** Every pair that locks rows of the same table, a statement with itself included. */
const PAIRS = LOCKERS.flatMap((a, i) =>
  LOCKERS.slice(i)
    .filter((b) => a.tables.some((table) => b.tables.includes(table)))
    .filter((b) => ![a, b].some(({ name }) => ALONE.includes(name)))
    .map((b) => [a, b] as const),
);

/**
 * The rows lie in the tables in the opposite order of their ids. A quarter of the events is a dead letter, waits for a
 * retry that is due, is dispatched, or has no state.
 */
async function lay(pool: Pool, tables: readonly LockedTable[]): Promise<LockedRows> {
  const ids = Array.from({ length: ROWS }, () => uuidV7()).sort();
  const heap = [...ids].reverse();
  const replays = [uuidV7(), uuidV7()];
  const tells = (...of: LockedTable[]): boolean => of.some((table) => tables.includes(table));
  if (tells('event_state', 'processing_attempts')) await layEvents(pool, heap, replays);
  if (tells('crash_trials')) {
    await pool.query('delete from crash_trials');
    await pool.query(
      `insert into crash_trials (event_id, starts)
       select id, 1 from unnest($1::uuid[]) with ordinality as t (id, i) where i % 2 = 0`,
      [heap],
    );
  }
  if (tells('idempotency_keys')) await layKeys(pool, heap);
  if (tells('deliveries', 'delivery_queue')) await layDeliveries(pool, heap);
  if (tells('destination_failures')) await layFailures(pool, heap);
  if (tells('admin_audit')) await layActions(pool, heap);
  if (tells('rejections')) await layRejections(pool, heap);
  return { ids, replays, entries: tells('outbox') ? await layEntries(pool) : [] };
}

async function layEvents(pool: Pool, heap: readonly string[], replays: readonly string[]): Promise<void> {
  for (const table of ['event_state', 'dead_letters', 'retry_schedule', 'replays', 'replay_events']) {
    await pool.query(`delete from ${table}`);
  }
  const rows = `unnest($1::uuid[]) with ordinality as t (id, i)`;
  await pool.query(
    `insert into event_state (event_id, status, generation, dispatch_no, attempts)
     select id, case i % 4 when 1 then 'DLQ' when 2 then 'RETRYING' else 'DISPATCHED' end, 1, 2, 0
       from ${rows} where i % 4 > 0`,
    [heap],
  );
  await pool.query(
    `insert into dead_letters (event_id, tenant_id, type, reason_code, attempts, first_failed_at, last_failed_at)
     select id, 'acme', 'order.paid', 'TIMEOUT', 1, now(), now() from ${rows} where i % 4 = 1`,
    [heap],
  );
  await pool.query(
    `insert into retry_schedule (event_id, dispatch_no, generation, due_at)
     select id, 2, 1, now() - make_interval(secs => i) from ${rows} where i % 4 = 2`,
    [heap],
  );
  await pool.query(
    `insert into replays (id, mode, filter, matched, more, requested_by, correlation_id)
     select id, 'reprocess', '{}', 1, false, 'test', 'c' from unnest($1::uuid[]) as r (id)`,
    [replays],
  );
  await pool.query(
    `insert into replay_events (replay_id, event_id) select ($2::uuid[])[1 + i % 2], id from ${rows} where i % 8 < 4`,
    [heap, replays],
  );
}

/** Half of the keys are stored, and expired. */
async function layKeys(pool: Pool, heap: readonly string[]): Promise<void> {
  await pool.query('delete from idempotency_keys');
  await pool.query(
    `insert into idempotency_keys (digest, event_id, fingerprint, created_at)
     select decode(d, 'hex'), gen_random_uuid(), 'f', now() - interval '1 year' from unnest($1::text[]) as d`,
    [heap.filter((_, i) => i % 2 === 0).map((id) => preparedFor(id).keyDigest)],
  );
}

/** All of them so old that their keys are forgotten. */
async function layActions(pool: Pool, heap: readonly string[]): Promise<void> {
  await forgetAudit(pool);
  await pool.query(
    `insert into admin_audit (id, actor, action, filter, counts, correlation_id, key_digest)
     select ('00000000' || substr(id::text, 9))::uuid, 'admin', 'replay', '{}', '{}', 'c', decode(md5(id::text), 'hex')
       from unnest($1::uuid[]) as t (id)`,
    [heap],
  );
}

/** They lie in the default partition, because deleteStrayEntries deletes only there. */
async function layEntries(pool: Pool): Promise<string[]> {
  await pool.query('delete from outbox');
  const { rows } = await pool.query<{ id: string }>(
    `insert into outbox (id, created_at, event_id, destination, status, lock_owner, lock_acquired_at, closed_at, failed_at)
     select $1::integer - i, '2001-01-01T12:00:00Z', gen_random_uuid(), 'main',
            (array['PENDING', 'IN_FLIGHT', 'FAILED', 'PUBLISHED'])[1 + i % 4],
            case i % 4 when 1 then $2::uuid end, case i % 4 when 1 then now() - i % 3 * interval '1 hour' end,
            case when i % 4 > 1 then now() end, case i % 4 when 2 then now() end
       from generate_series(1, $1::integer) as i returning id`,
    [ROWS, TOKEN],
  );
  await pool.query(
    `insert into chore_progress (name, position) values ('reconciler', 1000000)
     on conflict (name) do update set position = excluded.position`,
  );
  return rows.map(({ id }) => id).sort((a, b) => Number(a) - Number(b));
}

const reversed = (rows: LockedRows): LockedRows => ({
  ids: [...rows.ids].reverse(),
  entries: [...rows.entries].reverse(),
  replays: [...rows.replays].reverse(),
});

describe('statements that lock several rows of a table', () => {
  let impatient: Pool;
  afterAll(() => impatient.end()); // before the database is dropped
  const database = useDatabase();
  beforeAll(async () => {
    // A deadlock is reported after 20 ms instead of a second.
    impatient = createPool(`${database.url}?options=${encodeURIComponent('-c deadlock_timeout=20ms')}`, 'impatient');
    const { rows } = await impatient.query<{ deadlock_timeout: string }>('show deadlock_timeout');
    expect(rows).toEqual([{ deadlock_timeout: '20ms' }]);
  });

  /** Runs both twice at once. Returns the errors. */
  async function meet(a: Locker, b: Locker): Promise<unknown[]> {
    const rows = await lay(database.pool, a.tables);
    const four = [a.run(impatient, rows), b.run(impatient, reversed(rows))];
    four.push(a.run(impatient, reversed(rows)), b.run(impatient, rows));
    return (await Promise.allSettled(four)).flatMap((end) =>
      end.status === 'rejected' ? [end.reason as unknown] : [],
    );
  }

  it.each(PAIRS.map(([a, b]) => ({ a, b, title: `${a.name} and ${b.name}` })))(
    '$title: never end in a deadlock',
    async ({ a, b }) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const error of await meet(a, b)) if (!isExpected(error)) throw error;
      }
    },
  );
});

/** The statement that comes second may find a row that it would insert. */
const isExpected = (error: unknown): boolean => errorCode(error) === '23505';
