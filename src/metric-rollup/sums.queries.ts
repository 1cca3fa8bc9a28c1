import type { Db } from '../db/pool';
import { SUMMED_SECONDS } from './steps';

/** The bucket that has all of them, of measures and dimensions that have buckets (hasBuckets). */
export const ALL_BUCKETS = -1;

const STEPS = SUMMED_SECONDS.map((seconds) => `(${seconds}, interval '${seconds} seconds')`).join(', ');

/**
 * Adds at most `limit` changes of the roll-up, which triggers have recorded, to the sums of their hours and days. Returns
 * false if there are no more.
 */
export async function sumChanges(db: Db, limit: number): Promise<boolean> {
  const { rows } = await db.query<Emptied & { taken: number }>(
    `with taken as (
       delete from metric_changes where ctid = any (array(select ctid from metric_changes limit $1))
       returning at, measure, dimension, tenant_id, key, bucket, count
     ), changed as materialized (
       select date_bin(s.step, at, timestamptz '2000-01-01 00:00:00Z') as at, s.seconds, measure, dimension, tenant_id, key,
              bucket, sum(count)::bigint as count
         from taken cross join (values ${STEPS}) s (seconds, step)
        group by 1, 2, 3, 4, 5, 6, 7 having sum(count) <> 0
     ), summed as (
       insert into metric_sums as s (step_seconds, at, measure, dimension, tenant_id, key, bucket, count)
       select seconds, at, measure, dimension, tenant_id, key, bucket, count from changed
        union all
       select seconds, at, measure, dimension, tenant_id, key, ${ALL_BUCKETS}, sum(count)
         from changed where measure = 'completed' or measure = 'delivered' and dimension = 'destination'
        group by 1, 2, 3, 4, 5, 6 having sum(count) <> 0
       on conflict (measure, dimension, step_seconds, at, tenant_id, key, bucket)
         do update set count = s.count + excluded.count
       returning step_seconds, at, measure, dimension, count
     ), totalled as (
       insert into metric_totals as t (step_seconds, at, measure, dimension, bucket, count)
       select seconds, at, measure, dimension, bucket, sum(count) from changed group by 1, 2, 3, 4, 5 having sum(count) <> 0
       on conflict (measure, dimension, step_seconds, at, bucket) do update set count = t.count + excluded.count
       returning step_seconds, at, measure, dimension, count
     )
     select (select count(*)::integer from taken) as taken, step_seconds as "stepSeconds", at::text, measure, dimension
       from (values (1)) one
       left join (select step_seconds, at, measure, dimension from summed where count = 0
                   union
                  select step_seconds, at, measure, dimension from totalled where count = 0) emptied on true`,
    [limit],
  );
  for (const { stepSeconds, at, measure, dimension } of rows) {
    if (stepSeconds !== null) await forgetEmpty(db, { stepSeconds, at, measure, dimension });
  }
  return (rows[0]?.taken ?? 0) >= limit;
}

/** A step of which a key has nothing left, after what was counted in it was forgotten, or is part of the smaller keys. */
interface Emptied {
  stepSeconds: number | null;
  at: string;
  measure: string;
  dimension: string;
}

async function forgetEmpty(db: Db, { stepSeconds, at, measure, dimension }: Emptied): Promise<void> {
  for (const table of ['metric_sums', 'metric_totals']) {
    await db.query(
      `delete from ${table}
        where count = 0 and step_seconds = $1 and at = $2::timestamptz and measure = $3 and dimension = $4`,
      [stepSeconds, at, measure, dimension],
    );
  }
}
