import { FreshCounts } from '../../../src/admin/metrics/fresh-counts';
import { isCancelled } from '../../../src/db/pg-errors';
import { inTransaction } from '../../../src/db/pool';
import { readRollupProgress, type RollupProgress } from '../../../src/metric-rollup/rollup.queries';
import { useDatabase } from '../../support/fixtures/database';
import { givenEventAt, measured, rollUpFrom, totalsOf } from '../../support/measured';

const SLICE_MS = 10_000;
const LATER_MS = 5_000;

const database = useDatabase();
let progress: RollupProgress;
beforeEach(async () => {
  await database.pool.query('truncate events, metric_rollup, metric_slices, chore_progress');
  await rollUpFrom(database.pool, Math.floor((Date.now() - LATER_MS) / SLICE_MS) * SLICE_MS);
  progress = await readRollupProgress(database.pool);
});

/** While another session has the table, statements on it wait. */
const whileLocked = <T>(table: string, work: () => Promise<T>): Promise<T> =>
  inTransaction(database.pool, async (db) => {
    await db.query(`lock table ${table} in access exclusive mode`);
    return work();
  });

describe('what is not rolled up yet', () => {
  it('is counted once in two seconds, however many look at it', async () => {
    await givenEventAt(database.pool, Date.now());
    const fresh = new FreshCounts(database.pool);
    const first = fresh.read('accepted', 'tenant', progress);
    expect(fresh.read('accepted', 'tenant', progress)).toBe(first);
    expect(fresh.read('accepted', 'type', progress)).not.toBe(first);
    expect((await first)?.rows).toMatchObject([{ tenantId: 'acme', key: 'acme', count: 1 }]);
    expect(fresh.read('accepted', 'tenant', progress)).toBe(first);
  });

  it('is counted again after counting failed', async () => {
    const fresh = new FreshCounts(database.pool);
    const impossible = { ...progress, now: 1e14 };
    await expect(fresh.read('accepted', 'tenant', impossible)).rejects.toThrow();
    await expect(fresh.read('accepted', 'tenant', progress)).resolves.toMatchObject({ rows: [] });
  });

  it('is left out for a while after counting it took too long, and the roll-up is shown', async () => {
    const fresh = new FreshCounts(database.pool);
    await whileLocked('events', async () => {
      await expect(fresh.read('accepted', 'tenant', progress)).resolves.toBeUndefined();
      const { throughMs } = await measured(database.pool, { measure: 'accepted', dimension: 'tenant' });
      expect(throughMs).toBe(progress.rolledTo * 1_000);
    });
    await expect(fresh.read('accepted', 'tenant', progress)).resolves.toBeUndefined();
    await givenEventAt(database.pool, Date.now());
    await expect(totalsOf(database.pool, { measure: 'accepted', dimension: 'tenant' })).resolves.toEqual({ acme: 1 });
  });
});

it('reads the roll-up for at most five seconds, so that the response is 503', async () => {
  const error = await whileLocked('metric_rollup', () =>
    measured(database.pool, { measure: 'accepted', dimension: 'tenant' }).catch((reason: unknown) => reason),
  );
  expect(isCancelled(error)).toBe(true);
}, 30_000);
