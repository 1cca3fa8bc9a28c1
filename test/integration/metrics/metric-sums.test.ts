import { randomInt } from 'node:crypto';
import type { Pool } from 'pg';
import { ALL_TENANTS } from '../../../src/access/tenant-scope';
import { sumMetric, type MetricCriteria, type MetricRow } from '../../../src/admin/metrics/metrics.queries';
import { sumMetricSums } from '../../../src/admin/metrics/summed-metrics.queries';
import { coarsenRollup, forgetRollup } from '../../../src/metric-rollup/coarsen.queries';
import { MetricRollup } from '../../../src/metric-rollup/metric-rollup';
import { summedStep } from '../../../src/metric-rollup/steps';
import { sumChanges } from '../../../src/metric-rollup/sums.queries';
import { useDatabase } from '../../support/fixtures/database';
import { givenEventAt, givenSuccessAt, minutesAgo, rollUpAll, rollUpFrom } from '../../support/measured';
import { countRows } from '../../support/rows';

const HOUR = 3_600;
const DAY = 86_400;
const STEPS = [HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY];
const CHANGES = 200;

const database = useDatabase();
beforeEach(() =>
  database.pool.query('truncate events, processing_attempts, metric_rollup, metric_slices, chore_progress'),
);

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

/** Rows as the roll-up has them: hours of `days` days, and minutes and slices of the newest. */
const givenHistory = (pool: Pool, days: number) =>
  pool.query(
    `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
     select at, seconds, measure, 'type', 'tenant-' || n % 3, nullif('type-' || n % 7, 'type-6'),
            case when measure = 'completed' then n % 4 else 0 end, 1 + n % 5
       from (select at, 3600 as seconds from generate_series(date_trunc('hour', now()) - make_interval(days => $1), now() - interval '50 hours', '1 hour') at
             union all
             select at, 60 from generate_series(date_trunc('hour', now()) - interval '49 hours', now() - interval '2 hours', '7 minutes') at
             union all
             select at, 10 from generate_series(date_trunc('minute', now()) - interval '2 hours', now(), '50 seconds') at) step
      cross join (values ('accepted'), ('completed')) m (measure)
      cross join lateral (select floor(random() * 1000)::integer as n from generate_series(1, 1 + abs(hashtext(at::text)) % 4)) each`,
    [days],
  );

/** A range, a step and a scope. */
function anyCriteria(days: number): MetricCriteria {
  const stepSeconds = STEPS[randomInt(STEPS.length)] ?? DAY;
  const stepMs = stepSeconds * 1_000;
  const fromStep = Math.floor((Date.now() - randomInt(days * DAY) * 1_000) / stepMs);
  const scopes = [ALL_TENANTS, ALL_TENANTS, { tenantId: 'tenant-1' }, { tenantIds: ['tenant-0', 'tenant-2'] }];
  return {
    ...ALL_TENANTS,
    ...scopes[randomInt(scopes.length)],
    fromMs: fromStep * stepMs,
    toMs: (fromStep + 1 + randomInt(1 + Math.ceil((days * DAY) / stepSeconds))) * stepMs,
    stepSeconds,
    measure: (['accepted', 'completed', 'latency'] as const)[randomInt(3)] ?? 'accepted',
    dimension: 'type',
    limit: [0, 2, 3, 20][randomInt(4)] ?? 20,
  };
}

const sorted = (rows: readonly MetricRow[], isLatency: boolean): string[] => {
  const counts = new Map<string, number>();
  for (const { at, key, bucket, count } of rows) {
    const name = JSON.stringify([at, key, isLatency ? bucket : 0]);
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].map(([name, count]) => `${name} ${count}`).toSorted();
};

/** Both ways of reading say the same. Ties between keys are broken alike. */
async function expectTheSame(pool: Pool, days: number, queries: number): Promise<void> {
  for (let n = 0; n < queries; n++) {
    const criteria = anyCriteria(days);
    const rolledTo = randomInt(2) ? Infinity : nowSeconds() - randomInt(3 * HOUR);
    const fresh = randomInt(2) ? [] : [{ at: nowSeconds(), tenantId: null, key: 'type-0', bucket: 1, count: 3 }];
    const visible = fresh.filter(({ at }) => at * 1_000 >= criteria.fromMs && at * 1_000 < criteria.toMs);
    const fine = await sumMetric(pool, criteria, rolledTo, visible);
    const level = summedStep(criteria.stepSeconds) ?? 0;
    const summed = await sumMetricSums(pool, { ...criteria, level }, rolledTo, visible);
    const isLatency = criteria.measure === 'latency';
    expect({ criteria, rows: sorted(summed, isLatency) }).toEqual({ criteria, rows: sorted(fine, isLatency) });
  }
}

describe('the sums by hour and day', () => {
  it('say the same as the rows, for any range and step, while changes are recorded, summed and forgotten', async () => {
    const { pool } = database;
    await givenHistory(pool, 100);
    await expectTheSame(pool, 95, 10); // nothing is summed yet
    while (await sumChanges(pool, CHANGES * 10));
    await expect(countRows(pool, 'metric_changes')).resolves.toBe(0);
    await expectTheSame(pool, 95, 40);
    const progress = { rolledTo: nowSeconds(), now: nowSeconds() };
    for (let n = 0; n < 12; n++) {
      await coarsenRollup(pool, progress, 60);
      await coarsenRollup(pool, progress, 3_600);
      await forgetRollup(pool, progress, 20);
      await pool.query(
        `delete from metric_rollup where ctid = any (array(select ctid from metric_rollup order by random() limit 20))`,
      );
      await pool.query(
        `update metric_rollup set count = count + 1 where at = (select at from metric_rollup order by random() limit 1)`,
      );
      if (n % 2 === 0) await sumChanges(pool, CHANGES);
      await expectTheSame(pool, 95, 4);
    }
    while (await sumChanges(pool, CHANGES));
    await expectTheSame(pool, 95, 20);
  }, 60_000);

  it('have nothing left of what was forgotten', async () => {
    const { pool } = database;
    await givenHistory(pool, 3);
    await sumChanges(pool, 100_000);
    await expect(countRows(pool, 'metric_sums')).resolves.toBeGreaterThan(100);
    await pool.query('delete from metric_rollup');
    await sumChanges(pool, 100_000);
    for (const table of ['metric_changes', 'metric_sums', 'metric_totals']) {
      await expect(countRows(pool, table)).resolves.toBe(0);
    }
  });

  it('are kept by the roll-up, with what is committed late', async () => {
    const { pool } = database;
    const beganMs = minutesAgo(10);
    await rollUpFrom(pool, beganMs);
    const stored: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) {
      const id = await givenEventAt(pool, beganMs + i * 9_000, { type: `type-${i % 7}`, tenantId: `tenant-${i % 3}` });
      if (i % 2 === 0) stored.push(givenSuccessAt(pool, id, beganMs + i * 9_000 + i * 50));
    }
    await Promise.all(stored);
    const rollup = new MetricRollup(pool);
    await rollup.runOnce(); // a minute
    await givenEventAt(pool, beganMs, { type: 'type-0' });
    await rollUpAll(rollup);
    await expect(
      countRows(pool, `metric_sums where measure = 'accepted' and dimension = 'type'`),
    ).resolves.toBeGreaterThan(6);
    const { rows } = await pool.query<{ n: number }>(
      `select sum(count)::integer as n from metric_totals where measure = 'accepted' and dimension = 'tenant' and step_seconds = ${DAY}`,
    );
    expect(rows).toEqual([{ n: 41 }]);
    await expectTheSame(pool, 2, 20);
  });
});
