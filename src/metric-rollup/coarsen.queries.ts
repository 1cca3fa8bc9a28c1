import type { Db } from '../db/pool';
import { folded } from './fold';
import type { RollupProgress } from './rollup.queries';
import { CHECKED_SECONDS, COARSER, KEPT_SECONDS } from './steps';

/** Steps are coarsened to this length, once they are old enough and none of their slices is made again. */
type Coarser = (typeof COARSER)[number]['to'];

/**
 * Sums the slices of the oldest minute that is to be one, or the minutes of the oldest such hour, of one measure and
 * dimension. Returns false if there is none.
 */
export async function coarsenRollup(db: Db, progress: RollupProgress, to: Coarser): Promise<boolean> {
  const { rows } = await db.query<{ at: string; measure: string; dimension: string }>(
    `select at, measure, dimension from metric_rollup where step_seconds = $1 and at < to_timestamp($2)
      order by at limit 1`,
    [finerThan(to), coarsenedTo(progress, to)],
  );
  const [oldest] = rows;
  if (!oldest) return false;
  await db.query(
    `with step as (
       select date_bin('${to} seconds', $1::timestamptz, timestamptz '2000-01-01 00:00:00Z') as at
     ), finer as (
       delete from metric_rollup r using step
        where r.step_seconds = $2 and r.measure = $3 and r.dimension = $4
          and r.at >= step.at and r.at < step.at + interval '${to} seconds'
       returning step.at, r.dimension, r.tenant_id, r.key, r.bucket, r.count
     )
     insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
     select at, ${to}, $3, dimension, tenant_id, key, bucket, count from (${folded('select * from finer')}) made`,
    [oldest.at, finerThan(to), oldest.measure, oldest.dimension],
  );
  return true;
}

const finerThan = (to: Coarser): number => COARSER.find((one) => one.to === to)?.from as number;

/** Up to where steps of `to` are made, in seconds since 1970. */
function coarsenedTo({ rolledTo, now }: RollupProgress, to: Coarser): number {
  let newest = rolledTo - CHECKED_SECONDS;
  for (const one of COARSER) {
    newest = Math.floor(Math.min(newest, now - one.afterSeconds) / one.to) * one.to;
    if (one.to === to) break;
  }
  return newest;
}

/** Forgets what is too old, at most `limit` rows of each kind. */
export async function forgetRollup(db: Db, { rolledTo, now }: RollupProgress, limit: number): Promise<void> {
  const checkedFrom = rolledTo - CHECKED_SECONDS;
  await db.query('delete from metric_slices where at < to_timestamp($1)', [checkedFrom]);
  await db.query(
    `delete from delivery_closings where ctid = any (array(
       select ctid from delivery_closings where at < to_timestamp($1) limit $2))`,
    [checkedFrom, limit],
  );
  await db.query(
    `delete from metric_rollup where ctid = any (array(
       select ctid from metric_rollup where step_seconds = $3 and at < to_timestamp($1) limit $2))`,
    [now - KEPT_SECONDS, limit, COARSER[1].to],
  );
}
