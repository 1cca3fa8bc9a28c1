import { coarsenRollup, forgetRollup } from '../../../src/metric-rollup/coarsen.queries';
import { findLateSlices } from '../../../src/metric-rollup/late-slices.queries';
import { MetricRollup } from '../../../src/metric-rollup/metric-rollup';
import { inTransaction } from '../../../src/db/pool';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { eventually } from '../../support/eventually';
import { useDatabase } from '../../support/fixtures/database';
import { givenEventAt, measured, minutesAgo, rollUpAll, rollUpFrom, totalsOf } from '../../support/measured';
import { countRows } from '../../support/rows';
import type { RollupProgress } from '../../../src/metric-rollup/rollup.queries';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

const database = useDatabase();
beforeEach(() =>
  database.pool.query('truncate events, metric_rollup, metric_slices, chore_progress, delivery_closings'),
);

const givenRollup = (ageSeconds: number, stepSeconds: number, key: string | null = 'a') =>
  database.pool.query(
    `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
     values (date_bin(make_interval(secs => $2), now() - make_interval(secs => $1), '2000-01-01 00:00:00Z'), $2,
             'accepted', 'type', 'acme', $3, 0, 1)`,
    [ageSeconds, stepSeconds, key],
  );
const now = async (): Promise<number> => {
  const { rows } = await database.pool.query<{ now: number }>(`select extract(epoch from now())::float8 as now`);
  return rows[0]?.now ?? 0;
};
const coarsenAll = async (progress: RollupProgress): Promise<void> => {
  for (const to of [60, 3_600] as const) while (await coarsenRollup(database.pool, progress, to));
};
const position = async (): Promise<number> => {
  const { rows } = await database.pool.query<{ position: number }>(
    `select position::float8 as position from chore_progress where name = 'metric-rollup'`,
  );
  return rows[0]?.position ?? 0;
};
const steps = async (): Promise<Record<string, number>> => {
  const { rows } = await database.pool.query<{ step: number; n: number }>(
    'select step_seconds as step, sum(count)::integer as n from metric_rollup group by 1',
  );
  return Object.fromEntries(rows.map(({ step, n }) => [String(step), n]));
};

describe('the roll-up is bounded', () => {
  it('in time: slices become minutes, minutes become hours, and hours are forgotten', async () => {
    const { pool } = database;
    for (let i = 0; i < 12; i++) await givenRollup(3 * HOUR_SECONDS + 10 * i, 10);
    for (let i = 0; i < 10; i++) await givenRollup(3 * DAY_SECONDS + 60 * i, 60);
    await givenRollup(HOUR_SECONDS, 10);
    await givenRollup(HOUR_SECONDS + DAY_SECONDS, 60);
    await givenRollup(91 * DAY_SECONDS, 3_600);
    const progress = { rolledTo: await now(), now: await now() };
    await coarsenAll(progress);
    await expect(steps()).resolves.toEqual({ '10': 1, '60': 13, '3600': 11 });
    await expect(countRows(pool, 'metric_rollup where step_seconds = 60')).resolves.toBeLessThanOrEqual(4);
    await forgetRollup(pool, progress, 1_000);
    await expect(steps()).resolves.toEqual({ '10': 1, '60': 13, '3600': 10 });
    await coarsenAll(progress);
    await expect(steps()).resolves.toEqual({ '10': 1, '60': 13, '3600': 10 });
  });

  it('in keys: the largest hundred have counts of their own, and nothing is lost', async () => {
    const { pool } = database;
    const beganMs = minutesAgo(5);
    await rollUpFrom(pool, beganMs);
    for (let i = 0; i < 130; i++) {
      for (let n = 0; n < (i < 5 ? 3 : 1); n++) await givenEventAt(pool, beganMs, { type: `type-${i}` });
    }
    await rollUpAll(new MetricRollup(pool));
    await expect(countRows(pool, `metric_rollup where dimension = 'type'`)).resolves.toBe(101);
    const { series, other } = await measured(pool, { measure: 'accepted', dimension: 'type', limit: 5 });
    expect(series.map(({ key, total }) => [key, total])).toEqual([0, 1, 2, 3, 4].map((i) => [`type-${i}`, 3]));
    expect(other.total).toBe(125);
  });

  it('in keys, and the sums of each tenant are right, however many tenants there are', async () => {
    const { pool } = database;
    const beganMs = minutesAgo(5);
    await rollUpFrom(pool, beganMs);
    const tenants = Array.from({ length: 150 }, (_, i) => `tenant-${String(i).padStart(3, '0')}`);
    for (const tenantId of tenants) await givenEventAt(pool, beganMs, { tenantId });
    await rollUpAll(new MetricRollup(pool));
    await expect(countRows(pool, `metric_rollup where dimension = 'type' and key is not null`)).resolves.toBe(100);
    for (const tenantId of tenants) await givenEventAt(pool, Date.now(), { tenantId });
    const { series, other } = await measured(pool, { measure: 'accepted', dimension: 'tenant', limit: 50 });
    expect([series.length, other.total]).toEqual([50, 200]);
    for (const scope of [{ tenantId: 'tenant-149' }, { tenantIds: ['tenant-149'] }]) {
      const asked = { measure: 'accepted', ...scope } as const;
      await expect(totalsOf(pool, { ...asked, dimension: 'tenant' })).resolves.toEqual({ 'tenant-149': 2 });
      const all = await measured(pool, { ...asked, dimension: 'type', limit: 0 });
      expect(all.other.total).toBe(2);
    }
  });

  it('in what a scope shows: nothing of other tenants, not even in the sum of the rest', async () => {
    const { pool } = database;
    const beganMs = minutesAgo(5);
    await rollUpFrom(pool, beganMs);
    for (const tenantId of ['blue', 'red', 'red']) {
      await givenEventAt(pool, beganMs, { tenantId, type: `of-${tenantId}` });
    }
    await rollUpAll(new MetricRollup(pool));
    for (const tenantId of ['blue', 'red', 'red'])
      await givenEventAt(pool, Date.now(), { tenantId, type: `of-${tenantId}` });
    const asked = { measure: 'accepted', dimension: 'type', limit: 1 } as const;
    for (const scope of [{ tenantId: 'blue' }, { tenantIds: ['blue'] }, { tenantIds: ['blue', 'green'] }]) {
      const { series, other } = await measured(pool, { ...asked, ...scope });
      expect([series.map(({ key }) => key), other.total]).toEqual([['of-blue'], 0]);
    }
    const none = await measured(pool, { ...asked, tenantId: '-', tenantIds: [] });
    expect([none.series, none.other.total]).toEqual([[], 0]);
  });

  it('in what a late row makes again: its slice', async () => {
    const { pool } = database;
    const beganMs = minutesAgo(10);
    await rollUpFrom(pool, beganMs);
    for (const seconds of [0, 20]) await givenEventAt(pool, beganMs + seconds * 1_000);
    const rollup = new MetricRollup(pool);
    await rollup.runOnce();
    await pool.query('update metric_rollup set count = 100 where at = to_timestamp($1)', [beganMs / 1_000 + 20]);
    await givenEventAt(pool, beganMs + 1_000);
    await rollup.runOnce();
    await expect(totalsOf(pool, { measure: 'accepted', dimension: 'tenant' })).resolves.toEqual({ acme: 102 });
  });

  it('goes on after the clock of PostgreSQL was in the future', async () => {
    const { pool } = database;
    await rollUpFrom(pool, minutesAgo(-60 * 24));
    await givenEventAt(pool, Date.now());
    const rollup = new MetricRollup(pool);
    await eventually(async () => {
      await rollup.runOnce();
      expect(await position()).toBeLessThanOrEqual(await now());
    });
    await expect(totalsOf(pool, { measure: 'accepted', dimension: 'tenant' })).resolves.toEqual({ acme: 1 });
  });
});

describe('a part of a run that fails undoes no other', () => {
  const failing = (table: string, when: string) =>
    database.pool.query(
      `create or replace function fail_part() returns trigger language plpgsql as
         $$ begin if ${when} then raise 'it fails'; end if; return new; end $$;
       create trigger fail_part before insert on ${table} for each row execute function fail_part()`,
    );
  afterEach(() => database.pool.query('drop function fail_part cascade'));

  it('the slices of the part before', async () => {
    const { pool } = database;
    const began = minutesAgo(10) / 1_000;
    await rollUpFrom(pool, began * 1_000);
    await givenEventAt(pool, (began + 130) * 1_000);
    await failing('metric_slices', `new.at = to_timestamp(${began + 130})`);
    await expect(rollUpAll(new MetricRollup(pool))).rejects.toThrow('it fails');
    await expect(position()).resolves.toBe(began + 120);
  });

  it('new slices, if a late one fails', async () => {
    const { pool } = database;
    const began = minutesAgo(10) / 1_000;
    await rollUpFrom(pool, began * 1_000);
    const rollup = new MetricRollup(pool);
    await rollup.runOnce();
    await givenEventAt(pool, began * 1_000);
    await failing('metric_slices', `new.at = to_timestamp(${began})`);
    await expect(rollup.runOnce()).rejects.toThrow('it fails');
    await expect(position()).resolves.toBeGreaterThan(began + 60);
  });

  it('slices, if a minute fails', async () => {
    const { pool } = database;
    const began = minutesAgo(10) / 1_000;
    await rollUpFrom(pool, began * 1_000);
    await givenRollup(3 * HOUR_SECONDS, 10);
    await failing('metric_rollup', 'new.step_seconds = 60');
    await expect(new MetricRollup(pool).runOnce()).rejects.toThrow('it fails');
    await expect(position()).resolves.toBe(began + 60);
  });
});

describe('the queries of the roll-up', () => {
  it('find what happened in a slice by indexes, however much there was before', async () => {
    const { pool } = database;
    await pool.query(
      `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                        worker, created_at)
       select $1::uuid, n, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'test', now() - make_interval(secs => 200000 - n)
         from generate_series(1, 200000) n`,
      [uuidV7()],
    );
    const summarise = async (): Promise<number | undefined> =>
      (await pool.query<{ n: number }>('select summarise_attempts() as n')).rows[0]?.n;
    await inTransaction(pool, async (db) => {
      await db.query('lock table processing_attempts in share update exclusive mode'); // as VACUUM does
      await expect(summarise()).resolves.toBe(0);
    });
    await expect(summarise()).resolves.toBeGreaterThan(50);
    await expect(summarise()).resolves.toBe(0);
    const to = Math.floor(Date.now() / 10_000) * 10 - 100_000;
    const client = await pool.connect();
    try {
      await client.query('begin; set local enable_seqscan = off');
      const { rows } = await client.query<Record<string, string>>(
        `explain (analyze, costs off, timing off) select event_id from processing_attempts
          where created_at >= to_timestamp(${to}) and created_at < to_timestamp(${to + 10})`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('processing_attempts');
      const read = [...plan.matchAll(/Rows Removed by (?:Index Recheck|Filter): (\d+)/g)].map(([, n]) => Number(n));
      expect(read.reduce((sum, n) => sum + n, 0)).toBeLessThan(20_000);
    } finally {
      await client.query('rollback');
      client.release();
    }
    await expect(findLateSlices(pool, [{ from: to, to: to + 10 }])).resolves.toEqual([to]);
  });
});
