import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type * as ReaderModule from '../../src/admin/metrics/metric-reader.js';
import type * as PoolModule from '../../src/db/pool.js';
import type * as StepsModule from '../../src/metric-rollup/steps.js';
import { compiled } from '#bench/compiled';

const { MetricReader } = compiled<typeof ReaderModule>('admin/metrics/metric-reader');
const { createPool } = compiled<typeof PoolModule>('db/pool');
const { inSteps } = compiled<typeof StepsModule>('metric-rollup/steps');

const DAYS = 90;
const DAY_MS = 86_400_000;
const RUNS = 20;
/** What a query of up to 30 keys may take. */
const MOST_MS = 100;

/** The roll-up keeps at most 100 keys of a step, and the smaller ones of each tenant together. */
const LAID = [
  { measure: 'accepted', dimension: 'tenant', keys: 20, buckets: 1 },
  { measure: 'accepted', dimension: 'type', keys: 30, buckets: 1 },
  { measure: 'completed', dimension: 'tenant', keys: 20, buckets: 6 },
  { measure: 'accepted', dimension: 'source', keys: 120, buckets: 1 },
];
const QUERIES = [
  { measure: 'accepted', dimension: 'tenant', tenantId: null, isSmall: true },
  { measure: 'accepted', dimension: 'type', tenantId: null, isSmall: true },
  { measure: 'accepted', dimension: 'source', tenantId: null, isSmall: false },
  { measure: 'accepted', dimension: 'source', tenantId: 'tenant-1', isSmall: true },
  { measure: 'latency', dimension: 'tenant', tenantId: null, isSmall: false },
  { measure: 'latency', dimension: 'tenant', tenantId: 'tenant-1', isSmall: true },
] as const;

/** Prints how long queries of 90 days take. Returns false if the median of one of up to 30 keys is above 100 ms. */
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
  await client.query('vacuum analyze metric_rollup');
  const { rows } = await client.query<{ n: string }>('select count(*) as n from metric_rollup');
  await client.end();
  process.stdout.write(`the roll-up of ${DAYS} days has ${rows[0]?.n} rows\n`);
  const pool = createPool(url, 'bench');
  atEnd(() => pool.end());
  const reader = new MetricReader(pool);
  let isQuick = true;
  for (const { isSmall, ...query } of QUERIES) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const nowMs = Date.now();
      const range = inSteps({ fromMs: nowMs - DAYS * DAY_MS, toMs: nowMs }, undefined, nowMs);
      if ('needed' in range) throw new Error('the range has too many steps');
      const startedMs = performance.now();
      await reader.read({ ...range, ...query, tenantIds: null, limit: 20 }, 0.95);
      times.push(performance.now() - startedMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(share * (RUNS - 1))] ?? 0;
    isQuick &&= !isSmall || at(0.5) <= MOST_MS;
    const { measure, dimension, tenantId } = query;
    const what = `${measure} by ${dimension}${tenantId === null ? '' : ` of ${tenantId}`}`;
    process.stdout.write(`${what.padEnd(40)} p50 ${at(0.5).toFixed(0)} ms, p95 ${at(0.95).toFixed(0)} ms\n`);
  }
  return isQuick;
}
