import type { PoolClient } from 'pg';
import { ErasureLoop } from '../../../src/admin/erasures/erasure-loop';
import { findErasure, insertErasure } from '../../../src/admin/erasures/erasure.queries';
import { MOST_FAILURES, StatisticsRenewal } from '../../../src/admin/erasures/statistics/statistics-renewal';
import { inTransaction } from '../../../src/db/pool';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';
import { givenDeadLetters } from '../../support/admin';
import { eventually } from '../../support/eventually';
import { statisticsWith } from '../../support/everything-stored';
import { useDatabase } from '../../support/fixtures/database';
import { givenReceiver } from '../../support/queued-deliveries';

const SECRET = 'Ada Lovelace of Marylebone';
const TENANT = 'erased';
const OTHER = 'Charles Babbage of Walworth';

describe('the statistics of PostgreSQL, after an erasure', () => {
  const database = useDatabase();

  const columnsWith = (text: string): Promise<string[]> => statisticsWith(database.pool, text);
  /** Dead letters, failed deliveries and rejections of a tenant that all quote a text. */
  const givenQuotes = async (tenantId: string, text: string): Promise<void> => {
    const letters = await givenDeadLetters(database.pool, 20, { tenantId, message: () => text });
    const ids = letters.map(({ id }) => id);
    const receiver = await givenReceiver(database.pool, { tenantId });
    await database.pool.query(`update dead_letters set note = $2 where event_id = any ($1)`, [ids, text]);
    await database.pool.query(
      `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, last_error, settled_at,
                               failed_at)
       select id, $2, 1, $3, 'order.paid', 'FAILED', 1, $4, now(), now() from unnest($1::uuid[]) id`,
      [ids, receiver, tenantId, text],
    );
    await database.pool.query(
      `insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, duration_ms,
                                      response_excerpt, worker)
       select id, $2, 1, 1, 'HTTP_4XX', 1, $3, 'test' from unnest($1::uuid[]) id`,
      [ids, receiver, text],
    );
    await database.pool.query(
      `insert into destination_failures (destination_id, last_reason_code, last_error) values ($1, 'HTTP_4XX', $2)`,
      [receiver, text],
    );
    for (const id of ids) {
      await database.pool.query(
        `insert into rejections (id, tenant_id, endpoint, code, message, pointer, correlation_id, received_at, size_bytes,
                                 digest, body)
         values ($1, $2, 'event', 'invalid-event', $3, $3, 'c-1', now(), 1, '', $4)`,
        [id, tenantId, text, Buffer.from(text)],
      );
    }
  };
  const QUOTED = [
    'dead_letters.error_message',
    'dead_letters.message_group',
    'dead_letters.note',
    'deliveries.last_error',
    'delivery_attempts.response_excerpt',
    'event_state.last_error',
    'processing_attempts.error_message',
    'rejections.body',
    'rejections.message',
    'rejections.pointer',
  ];
  const givenErasure = async (): Promise<string> => {
    const id = uuidV7();
    await insertErasure(database.pool, {
      ...{ id, tenantId: TENANT, subject: null, eventIds: null, before: new Date().toISOString() },
      ...{ note: null, requestedBy: 'ada', correlationId: 'c-1', below: uuidV7Floor(Date.now() + 1_000) },
    });
    await database.pool.query(`update erasures set created_at = created_at - interval '1 hour' where id = $1`, [id]);
    return id;
  };
  const endOf = async (id: string): Promise<object | undefined> => {
    const erasure = await findErasure(database.pool, id, null);
    return erasure && { status: erasure.status, statistics: erasure.statistics };
  };
  const walk = (id: string): Promise<void> =>
    eventually(async () => {
      await new ErasureLoop(database.pool).runOnce();
      const { rows } = await database.pool.query<{ walked: boolean }>(
        'select statistics_due_at is not null as walked from erasures where id = $1',
        [id],
      );
      expect(rows).toEqual([{ walked: true }]);
    }, 60_000);
  /** Runs `work` while somebody else has a lock for which `analyze` waits, and readers and writers do not. */
  const whileLocked = (work: (db: PoolClient) => Promise<unknown>): Promise<unknown> =>
    inTransaction(database.pool, async (db) => {
      await db.query('set local idle_in_transaction_session_timeout = 0');
      await db.query('lock table dead_letters in share update exclusive mode');
      return work(db);
    });
  const someoneWaits = (): Promise<void> =>
    eventually(async () => {
      const { rows } = await database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows.length).toBeGreaterThan(0);
    });

  it.each(['of partitions', 'of partitioned tables as well'])(
    '%s hold no values of what it erased',
    async (which) => {
      await givenQuotes(TENANT, SECRET);
      await givenQuotes('other', OTHER);
      const { rows } = await database.pool.query<{ name: string }>(
        `select oid::regclass::text as name from pg_class
        where relnamespace = 'public'::regnamespace and (relkind = 'r' or relkind = 'p' and $1)`,
        [which !== 'of partitions'],
      );
      for (const { name } of rows) await database.pool.query(`analyze ${name}`);
      expect(await columnsWith(SECRET)).toEqual(QUOTED);

      const id = await givenErasure();
      const loop = new ErasureLoop(database.pool);
      await eventually(async () => {
        await loop.runOnce();
        expect(await endOf(id)).toEqual({ status: 'DONE', statistics: 'RENEWED' });
      }, 60_000);
      expect(await columnsWith(SECRET)).toEqual([]);
      expect(await columnsWith(OTHER)).toEqual(QUOTED);
    },
    120_000,
  );

  it('are renewed later when that fails, and the erasure goes on until then', async () => {
    await givenQuotes(TENANT, SECRET);
    await database.pool.query('analyze dead_letters');
    const id = await whileLocked(async () => {
      const erasure = await givenErasure();
      await walk(erasure);
      expect(await endOf(erasure)).toEqual({ status: 'RUNNING', statistics: null });
      return erasure;
    });
    const renewal = new StatisticsRenewal(database.pool);
    await renewal.runOnce(); // not due yet
    expect(await endOf(id as string)).toEqual({ status: 'RUNNING', statistics: null });
    await database.pool.query('update erasures set statistics_due_at = now() where id = $1', [id]);
    await renewal.runOnce();
    expect(await endOf(id as string)).toEqual({ status: 'DONE', statistics: 'RENEWED' });
    expect(await columnsWith(SECRET)).not.toContain('dead_letters.note');
  }, 120_000);

  it('are given up after some failures, which the erasure says', async () => {
    await givenQuotes(TENANT, SECRET);
    await database.pool.query('analyze dead_letters');
    await whileLocked(async () => {
      const id = await givenErasure();
      await walk(id);
      await database.pool.query(
        'update erasures set statistics_due_at = now(), statistics_failures = $2 where id = $1',
        [id, MOST_FAILURES - 1],
      );
      await new StatisticsRenewal(database.pool).runOnce();
      expect(await endOf(id)).toEqual({ status: 'DONE', statistics: 'FAILED' });
    });
  }, 120_000);

  it('wait no longer for their table when the publisher stops, and are left to another one', async () => {
    await givenQuotes(TENANT, SECRET);
    await database.pool.query('analyze dead_letters');
    const id = await givenErasure();
    const first = new ErasureLoop(database.pool);
    await whileLocked(async () => {
      await walk(id);
      await database.pool.query(
        'update erasures set statistics_due_at = now(), statistics_failures = 0 where id = $1',
        [id],
      );
      const running = first.runOnce();
      await someoneWaits();
      const startedMs = performance.now();
      await first.beforeApplicationShutdown();
      await running;
      expect(performance.now() - startedMs).toBeLessThan(3_000);
    });
    const { rows } = await database.pool.query('select statistics_failures as failures from erasures where id = $1', [
      id,
    ]);
    expect(rows).toEqual([{ failures: 0 }]);
    await new ErasureLoop(database.pool).runOnce();
    expect(await endOf(id)).toEqual({ status: 'DONE', statistics: 'RENEWED' });
  }, 120_000);
});
