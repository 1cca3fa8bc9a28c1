import type { Pool } from 'pg';
import { queryWithSettings } from '../../db/pool';
import { keyedFacts, ROLLUP_PLANS } from '../../metric-rollup/facts';
import { folded } from '../../metric-rollup/fold';
import {
  storedMeasureOf,
  type MetricDimension,
  type MetricMeasure,
  type StoredMeasure,
} from '../../metric-rollup/measures';
import { instantOf, type SteppedRange } from '../../metric-rollup/steps';
import type { TenantScope } from '../../access/tenant-scope';

/** What is not rolled up yet is counted for at most this long. */
const FRESH_TIMEOUT_MS = 1_000;
/** The roll-up of 90 days is read within a second or two, if there are thousands of keys. */
export const ROLLUP_TIMEOUT_MS = 5_000;

export interface MetricCriteria extends TenantScope, SteppedRange {
  measure: MetricMeasure;
  dimension: MetricDimension;
  /** Number of keys that get series of their own. */
  limit: number;
}

/** What one slice has of a key. */
export interface FreshRow {
  /** Start of the slice, in seconds since 1970. */
  at: number;
  tenantId: string | null;
  key: string | null;
  bucket: number;
  count: number;
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
 * Counts a measure of all tenants from the events and attempts themselves. Times are in seconds since 1970.
 * @throws the error of a cancelled statement after a second
 */
export async function countFresh(
  pool: Pool,
  measure: StoredMeasure,
  dimension: MetricDimension,
  { from, to }: { from: number; to: number },
): Promise<FreshRow[]> {
  const settings = `${ROLLUP_PLANS}; set local statement_timeout = ${FRESH_TIMEOUT_MS}`;
  const { rows } = await queryWithSettings<FreshRow>(pool, settings, {
    text: `
      select extract(epoch from at)::float8 as at, tenant_id as "tenantId", key, bucket, count::float8 as count
        from (${folded(keyedFacts(measure, [dimension]))}) fresh`,
    values: [instantOf(from), instantOf(to)],
  });
  return rows;
}

/**
 * Sums a measure by key and step, and by bucket for latencies. Only the `limit` keys with the largest sums have rows of
 * their own. The roll-up is read before `rolledTo`, in seconds since 1970; `fresh` has what comes after it.
 * @throws the error of a cancelled statement after five seconds
 */
export async function sumMetric(
  pool: Pool,
  { measure, dimension, fromMs, toMs, stepSeconds, tenantId, tenantIds, limit }: MetricCriteria,
  rolledTo: number,
  fresh: readonly FreshRow[],
): Promise<MetricRow[]> {
  const { rows } = await queryWithSettings<MetricRow>(pool, `set local statement_timeout = ${ROLLUP_TIMEOUT_MS}`, {
    text: `
      with stepped as materialized (
        select date_bin(make_interval(secs => $9), at, to_timestamp(0)) as at,
               case when $8::integer > 0 then key end as key, bucket, sum(count)::bigint as count
          from (select at, key, bucket, count from metric_rollup
                 where measure = $1 and dimension = $2 and at >= $3::timestamptz and at < $4::timestamptz
                   and ($5::text is null or tenant_id = $5) and ($6::text[] is null or tenant_id = any ($6))
                union all
                select to_timestamp(at), key, bucket, count
                  from json_to_recordset($7::json) fresh (at float8, key text, bucket smallint, count bigint)) visible
         group by 1, 2, 3
      ), largest as (
        select key from stepped where key is not null group by key order by sum(count) desc, key limit $8
      )
      select extract(epoch from at)::float8 as at, largest.key, bucket, sum(count)::float8 as count
        from stepped left join largest on largest.key = stepped.key
       group by stepped.at, largest.key, bucket order by stepped.at`,
    values: [
      storedMeasureOf(measure, dimension),
      dimension,
      instantOf(fromMs / 1_000),
      instantOf(Math.min(rolledTo, toMs / 1_000)),
      tenantId,
      tenantIds,
      JSON.stringify(fresh.map(({ at, key, bucket, count }) => ({ at, key, bucket, count }))),
      limit,
      stepSeconds,
    ],
  });
  return rows;
}
