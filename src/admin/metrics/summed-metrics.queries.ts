import type { Pool } from 'pg';
import { queryWithSettings } from '../../db/pool';
import { hasBuckets, storedMeasureOf } from '../../metric-rollup/measures';
import { DAY_SECONDS, instantOf } from '../../metric-rollup/steps';
import { ALL_BUCKETS } from '../../metric-rollup/sums.queries';
import { ROLLUP_TIMEOUT_MS, type FreshRow, type MetricCriteria, type MetricRow } from './metrics.queries';

const OF_MEASURE = 'measure = $1 and dimension = $2';
const IN_SCOPE = '($5::text is null or tenant_id = $5) and ($6::text[] is null or tenant_id = any ($6))';
const OF_STEP = 'step_seconds = $10 and at >= $3::timestamptz and at < $4::timestamptz';
const TO_STEP = `date_bin(make_interval(secs => $9), at, to_timestamp(0))`;

export interface SummedCriteria extends MetricCriteria {
  /** Length of the sums, which the step is a multiple of, in seconds. */
  level: number;
}

/**
 * Does the same as sumMetric, from the sums by hour or day. Whole days tell which keys are the largest; only those are read
 * step by step, and the others are what is left of the totals.
 * @throws the error of a cancelled statement after five seconds
 */
export async function sumMetricSums(
  pool: Pool,
  { measure, dimension, fromMs, toMs, stepSeconds, tenantId, tenantIds, limit, level }: SummedCriteria,
  rolledTo: number,
  fresh: readonly FreshRow[],
): Promise<MetricRow[]> {
  const stored = storedMeasureOf(measure, dimension);
  const [from, to] = [fromMs / 1_000, toMs / 1_000];
  const [firstDay, lastDay] = [Math.ceil(from / DAY_SECONDS), Math.floor(to / DAY_SECONDS)];
  const hasDays = firstDay < lastDay;
  const { rows } = await queryWithSettings<MetricRow>(pool, `set local statement_timeout = ${ROLLUP_TIMEOUT_MS}`, {
    text: `
      with newest as materialized (
        -- What the sums do not have yet, and without what is counted afresh below.
        select at, key, bucket, count from metric_changes
         where ${OF_MEASURE} and at >= $3::timestamptz and at < $4::timestamptz and ${IN_SCOPE}
         union all
        select at, key, bucket, -count from metric_rollup
         where ${OF_MEASURE} and at >= greatest($8::timestamptz, $3::timestamptz) and at < $4::timestamptz and ${IN_SCOPE}
         union all
        select to_timestamp(at), key, bucket, count
          from json_to_recordset($7::json) fresh (at float8, key text, bucket smallint, count bigint)
      ), largest as materialized (
        select key
          from (${
            hasDays
              ? `select key, count from metric_sums
                  where ${OF_MEASURE} and step_seconds = ${DAY_SECONDS} and at >= $12::timestamptz and at < $13::timestamptz
                    and bucket = $11 and ${IN_SCOPE}
                  union all`
              : ''
          }
                select key, count from metric_sums
                 where ${OF_MEASURE} and ${OF_STEP} and bucket = $11 and ${IN_SCOPE}
                   and (at < $12::timestamptz or at >= $13::timestamptz)
                 union all
                select key, count from newest) each
         where key is not null group by key having sum(count) > 0 order by sum(count) desc, key limit $14
      ), of_largest as materialized (
        select ${TO_STEP} as at, key, bucket, sum(count)::bigint as count
          from (select at, key, bucket, count from metric_sums
                 where ${OF_MEASURE} and ${OF_STEP} and bucket >= 0 and ${IN_SCOPE}
                   and key = any (array(select key from largest))
                 union all
                select at, key, bucket, count from newest where key in (select key from largest)) each
         group by 1, 2, 3
      )
      select extract(epoch from at)::float8 as at, key, bucket, count::float8 as count from of_largest where count <> 0
       union all
      select extract(epoch from at)::float8, null, bucket, sum(count)::float8
        from (select at, bucket, -count as count from of_largest
               union all
              select ${TO_STEP}, bucket, count from ${
                tenantId === null && tenantIds === null
                  ? `metric_totals where ${OF_MEASURE} and ${OF_STEP}`
                  : `metric_sums where ${OF_MEASURE} and ${OF_STEP} and bucket >= 0 and ${IN_SCOPE}`
              }
               union all
              select ${TO_STEP}, bucket, count from newest) each
       group by at, bucket having sum(count) <> 0`,
    values: [
      stored,
      dimension,
      instantOf(from),
      instantOf(to),
      tenantId,
      tenantIds,
      JSON.stringify(fresh.map(({ at, key, bucket, count }) => ({ at, key, bucket, count }))),
      instantOf(Math.min(rolledTo, to)),
      stepSeconds,
      level,
      hasBuckets(stored, dimension) ? ALL_BUCKETS : 0,
      instantOf(hasDays ? firstDay * DAY_SECONDS : to),
      instantOf(hasDays ? lastDay * DAY_SECONDS : to),
      limit,
    ],
  });
  return rows;
}
