import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type * as ReaderModule from '../../src/admin/metrics/metric-reader.js';
import type * as PoolModule from '../../src/db/pool.js';
import type * as MeasuresModule from '../../src/metric-rollup/measures.js';
import type * as StepsModule from '../../src/metric-rollup/steps.js';
import type * as SumsModule from '../../src/metric-rollup/sums.queries.js';
import { compiled } from '#bench/compiled';

const { MetricReader } = compiled<typeof ReaderModule>('admin/metrics/metric-reader');
const { createPool } = compiled<typeof PoolModule>('db/pool');
const { storedMeasureOf } = compiled<typeof MeasuresModule>('metric-rollup/measures');
const { inSteps } = compiled<typeof StepsModule>('metric-rollup/steps');
const { sumChanges } = compiled<typeof SumsModule>('metric-rollup/sums.queries');

const DAYS = 90;
const DAY_MS = 86_400_000;
const RUNS = 20;
const CHANGES_AT_ONCE = 200_000;
/** What a query may take, at the median. That of latencies reads several rows for each point. */
const MOST_MS = 100;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** Each key is in each step. There are 20 tenants. */
const LAID = [
  { measure: 'accepted', dimension: 'tenant', keys: 20, buckets: 1 },
  { measure: 'accepted', dimension: 'source', keys: 120, buckets: 1 },
  { measure: 'accepted', dimension: 'type', keys: 1_000, buckets: 1 },
  { measure: 'completed', dimension: 'tenant', keys: 20, buckets: 6 },
];
/** The usual step of 90 days is six hours. 41 days have almost as many hours as a response may have points. */
const QUERIES = [
  { measure: 'accepted', dimension: 'tenant', tenantId: null, days: 90, step: undefined },
  { measure: 'accepted', dimension: 'source', tenantId: null, days: 90, step: undefined },
  { measure: 'accepted', dimension: 'type', tenantId: null, days: 90, step: DAY_SECONDS },
  { measure: 'accepted', dimension: 'type', tenantId: null, days: 90, step: undefined },
  { measure: 'accepted', dimension: 'type', tenantId: null, days: 41, step: HOUR_SECONDS },
  { measure: 'accepted', dimension: 'type', tenantId: 'tenant-1', days: 90, step: undefined },
  { measure: 'latency', dimension: 'tenant', tenantId: null, days: 90, step: DAY_SECONDS },
  { measure: 'latency', dimension: 'tenant', tenantId: null, days: 90, step: undefined },
  { measure: 'latency', dimension: 'tenant', tenantId: 'tenant-1', days: 90, step: undefined },
] as const;

/** Prints how long queries of up to 90 days take. Returns false if the median of one is above 100 ms, apart from those of latencies. */
export async function measureQueries(url: string, atEnd: (step: () => Promise<unknown>) => void): Promise<boolean> {
  const client = new Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  await client.query(readFileSync(new URL('history.sql', import.meta.url), 'utf8'));
  for (const { measure, dimension, keys, buckets } of LAID) {
    await client.query('select pg_temp.lay_rollup($1, $2, $3, $4)', [measure, dimension, keys, buckets]);
  }
  await client.query(
    `insert into chore_progress (name, position) values ('metric-rollup', floor(extract(epoch from now()) / 10) * 10)`,
  );
  while (await sumChanges(client, CHANGES_AT_ONCE));
  await client.query('vacuum analyze metric_rollup, metric_sums, metric_totals, metric_changes');
  const { rows } = await client.query<{ n: string }>('select count(*) as n from metric_rollup');
  await client.end();
  process.stdout.write(`the roll-up of ${DAYS} days has ${rows[0]?.n} rows\n`);
  const pool = createPool(url, 'bench');
  atEnd(() => pool.end());
  const reader = new MetricReader(pool);
  let isQuick = true;
  for (const { days, step, ...query } of QUERIES) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const nowMs = Date.now();
      const range = inSteps({ fromMs: nowMs - days * DAY_MS, toMs: nowMs }, step, nowMs);
      if ('needed' in range) throw new Error('the range has too many steps');
      const startedMs = performance.now();
      await reader.read({ ...range, ...query, tenantIds: null, limit: 20 }, 0.95);
      times.push(performance.now() - startedMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(share * (RUNS - 1))] ?? 0;
    isQuick &&= query.measure === 'latency' || at(0.5) <= MOST_MS;
    const { measure, dimension, tenantId } = query;
    const of = LAID.find(
      (laid) => laid.measure === storedMeasureOf(measure, dimension) && laid.dimension === dimension,
    );
    const ofTenant = tenantId === null ? '' : ` of ${tenantId}`;
    const what = `${measure} of ${of?.keys} keys${ofTenant}, ${days} days by ${(step ?? 6 * HOUR_SECONDS) / HOUR_SECONDS} h`;
    process.stdout.write(`${what.padEnd(55)} p50 ${at(0.5).toFixed(0)} ms, p95 ${at(0.95).toFixed(0)} ms\n`);
  }
  return isQuick;
}
