import type { Pool, QueryConfig } from 'pg';
import { queryWithSettings } from '../../db/pool';
import { keyedFacts } from '../../metric-rollup/facts';
import { storedMeasureOf, type MetricDimension, type MetricMeasure } from '../../metric-rollup/measures';
import { ROLLUP_PLANS } from '../../metric-rollup/rollup.queries';
import type { SteppedRange } from '../../metric-rollup/steps';
import type { TenantScope } from '../../access/tenant-scope';

/** What is not rolled up yet is counted for at most this long. */
const FRESH_TIMEOUT_MS = 1_000;

export interface MetricCriteria extends TenantScope, SteppedRange {
  measure: MetricMeasure;
  dimension: MetricDimension;
  /** Number of keys that get series of their own. */
  limit: number;
}

/** What is counted from the tables themselves. */
export interface FreshRange {
  fromMs: number;
  toMs: number;
}

export interface MetricRow {
  /** Start of the step, in seconds since 1970. */
  at: number;
  /** Null: the smaller keys together. */
  key: string | null;
  /** Of the latency; 0 for other measures. */
  bucket: number;
  count: number;
}

/**
 * Sums a measure by key and step, and by bucket for latencies. Only the `limit` keys with the largest sums have rows of
 * their own. Before `fresh` it reads the roll-up, from there on the events and attempts themselves.
 */
export async function sumMetric(
  pool: Pool,
  { measure, dimension, fromMs, toMs, stepSeconds, tenantId, tenantIds, limit }: MetricCriteria,
  fresh: FreshRange | undefined,
): Promise<MetricRow[]> {
  const stored = storedMeasureOf(measure);
  const query: QueryConfig = {
    text: `
      with rows as materialized (
        select at, tenant_id, key, bucket, count from metric_rollup
         where measure = $3 and dimension = $4 and at >= $5::timestamptz and at < $6::timestamptz
        ${
          fresh
            ? `union all
        select at, tenant_id, key, bucket, count from (${keyedFacts(stored, [dimension])}) fresh`
            : `and $1::timestamptz is null and $2::timestamptz is null`
        }
      ), visible as materialized (
        select * from rows
         where ($7::text is null or tenant_id = $7) and ($8::text[] is null or tenant_id = any ($8))
      ), largest as (
        select key from visible where key is not null group by key order by sum(count) desc, key limit $9
      )
      select (floor(extract(epoch from at) / $10::float8) * $10::float8)::float8 as at, largest.key, bucket,
             sum(count)::float8 as count
        from visible left join largest on largest.key = visible.key
       group by 1, 2, 3 order by 1`,
    values: [
      fresh ? instantOf(fresh.fromMs) : null,
      fresh ? instantOf(fresh.toMs) : null,
      stored,
      dimension,
      instantOf(fromMs),
      instantOf(fresh ? Math.min(fresh.fromMs, toMs) : toMs),
      tenantId,
      tenantIds,
      limit,
      stepSeconds,
    ],
  };
  const settings = fresh ? `${ROLLUP_PLANS}; set local statement_timeout = ${FRESH_TIMEOUT_MS}` : 'select';
  return (await queryWithSettings<MetricRow>(pool, settings, query)).rows;
}

const instantOf = (ms: number): string => new Date(ms).toISOString();
