import { listReasons } from '../../../src/admin/dead-letters/dead-letter-reasons.queries';
import { criteriaOf } from '../../../src/admin/events/event-criteria';
import { findEvents, pageStatement } from '../../../src/admin/events/event-search.queries';
import { createDataSource } from '../../../src/db/migrations/data-source';
import { migrate } from '../../../src/db/migrations/migrate';
import { inTransaction } from '../../../src/db/pool';
import { reopenDeliveries } from '../../../src/delivery-state/reopen-deliveries.queries';
import { givenCompleted, givenDeadLetters } from '../../support/admin';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenReceiver } from '../../support/queued-deliveries';
import { countRows } from '../../support/rows';

const ALL = { tenantIds: null };
const EARLIER = `md5(concat(last_reason_code, ' ', destination_id, ' ', failure_group(last_error)))`;

describe('the cause of a failed delivery', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** Events whose delivery has failed with this error. Their number stands for `#`. */
  const givenFailed = async (count: number, error: string): Promise<{ ids: string[]; destinationId: string }> => {
    const destinationId = await givenReceiver(database.pool, { tenantId: 'failing' });
    const ids = (await givenCompleted(database.pool, count, 'failing')).map(({ id }) => id);
    await database.pool.query(
      `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, last_reason_code,
                               last_error, settled_at, failed_at)
       select id, $2, 1, 'failing', 'order.paid', 'FAILED', 1, 'HTTP_5XX', replace($3, '#', n::text), now(), now()
         from unnest($1::uuid[]) with ordinality t (id, n)`,
      [ids, destinationId, error],
    );
    return { ids, destinationId };
  };
  const causesOf = async (destinationId: string): Promise<object[]> => {
    const { rows } = await database.pool.query<object>(
      `select distinct cause, ${EARLIER} as earlier from deliveries where destination_id = $1`,
      [destinationId],
    );
    return rows;
  };

  it('is the id of its group, as addresses have it since before it was stored', async () => {
    const { ids, destinationId } = await givenFailed(7, 'answered 503: order # is locked');
    const [{ cause, earlier } = {}] = (await causesOf(destinationId)) as { cause?: string; earlier?: string }[];
    expect([cause, await causesOf(destinationId)]).toEqual([earlier, [{ cause, earlier }]]);
    const { reasons } = await listReasons(database.pool, criteriaOf({ group: cause }, ALL), 10);
    expect(reasons).toMatchObject([
      {
        ...{ id: cause, destinationId, count: 7, errorMessage: 'answered <n>: order <n> is locked' },
        sampleEventIds: ids.toReversed().slice(0, 5),
      },
    ]);
    const { events } = await findEvents(database.pool, criteriaOf({ status: 'DLQ', group: cause }, ALL), 50);
    expect(events.map(({ id }) => id)).toEqual(ids.toReversed());
  });

  it('follows its error, and ends when the delivery is opened again', async () => {
    const { ids, destinationId } = await givenFailed(1, 'no such order');
    await database.pool.query(`update deliveries set last_error = 'erased' where destination_id = $1`, [destinationId]);
    const [after] = (await causesOf(destinationId)) as { cause: string; earlier: string }[];
    expect(after?.cause).toBe(after?.earlier);
    expect(
      await reopenDeliveries(database.pool, [{ eventId: ids[0] as string, destinationId, generation: 1 }]),
    ).toHaveLength(1);
    expect(await causesOf(destinationId)).toMatchObject([{ cause: null }]);
  });

  it('does not count a delivery that a newer one has replaced', async () => {
    const { ids, destinationId } = await givenFailed(3, 'replaced');
    await database.pool.query(
      `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status)
       values ($1, $2, 2, 'failing', 'order.paid', 'DELIVERED')`,
      [ids[0], destinationId],
    );
    const { reasons } = await listReasons(database.pool, criteriaOf({ destinationId }, ALL), 10);
    expect(reasons).toMatchObject([{ count: 2, sampleEventIds: [ids[2], ids[1]] }]);
  });

  it('says how many failed in the last hour, and how many in the hour before', async () => {
    const { ids, destinationId } = await givenFailed(6, 'of late');
    await database.pool.query(
      `update deliveries set failed_at = now() - n * interval '25 minutes'
         from unnest($1::uuid[]) with ordinality t (id, n) where event_id = id`,
      [ids],
    );
    const { reasons } = await listReasons(database.pool, criteriaOf({ destinationId }, ALL), 10);
    expect(reasons).toMatchObject([{ count: 6, lastHour: 2, hourBefore: 2 }]);
    const letters = await givenDeadLetters(database.pool, 5, { tenantId: 'lately', message: () => 'lately' });
    await database.pool.query(
      `update dead_letters set last_failed_at = now() - n * interval '35 minutes'
         from unnest($1::uuid[]) with ordinality t (id, n) where event_id = id`,
      [letters.map(({ id }) => id)],
    );
    const ofHandlers = await listReasons(database.pool, criteriaOf({ tenantId: 'lately' }, ALL), 10);
    expect(ofHandlers.reasons).toMatchObject([{ count: 5, lastHour: 1, hourBefore: 2 }]);
  });

  it('leads to its events by an index, and that of handlers too', async () => {
    await givenDeadLetters(database.pool, 20, { tenantId: 'handlers', message: ({ id }) => `order ${id}` });
    await givenFailed(20, 'answered 500');
    await database.pool.query('analyze');
    const { text, values } = pageStatement(criteriaOf({ status: 'DLQ', group: 'a group' }, ALL), 50);
    const { rows } = await inTransaction(database.pool, async (db) => {
      await db.query('set local enable_seqscan = off');
      await db.query('set local enable_bitmapscan = off');
      return db.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    });
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Cond: \(\(cause = 'a group'/);
    expect(plan).toMatch(/dead_letters_by_cause/);
  });

  it('is known of deliveries that failed before it was stored', async () => {
    const old = await createTestDatabase();
    try {
      const dataSource = await createDataSource(old.url).initialize();
      const hasCause = `pg_attribute where attrelid = 'deliveries'::regclass and attname = 'cause' and not attisdropped`;
      while ((await countRows(old.pool, hasCause)) > 0) await dataSource.undoLastMigration();
      await dataSource.destroy();
      await old.pool.query(
        `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, last_reason_code, last_error,
                                 failed_at)
         select gen_random_uuid(), gen_random_uuid(), 1, 'old', 'order.paid', 'FAILED', 'TIMEOUT', 'request ' || n, now()
           from generate_series(1, 100) n`,
      );
      await migrate(old.url);
      expect(await countRows(old.pool, `deliveries where cause = ${EARLIER}`)).toBe(100);
    } finally {
      await old.drop();
    }
  }, 120_000);
});
