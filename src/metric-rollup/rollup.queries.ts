import type { Db } from '../db/pool';
import { COUNT_FACTS, keyedFacts } from './facts';
import { folded } from './fold';
import { STORED_MEASURES } from './measures';
import { COARSER, KEPT_SECONDS, LATE_SECONDS, SLICE_SECONDS } from './steps';

/**
 * Makes PostgreSQL look up by its indexes what the rows of a slice refer to, whatever the statistics of the newest
 * partitions say. For one transaction.
 */
export const ROLLUP_PLANS =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off';

/** Whole slices, in seconds since 1970. */
export interface Slices {
  from: number;
  to: number;
}

export interface RollupProgress {
  /** The roll-up is made up to here, in seconds since 1970. */
  rolledTo: number;
  /** PostgreSQL's clock. */
  now: number;
}

/** Reads how far the roll-up is. Before it has begun, that is the present. */
export async function readRollupProgress(db: Db): Promise<RollupProgress> {
  const { rows } = await db.query<RollupProgress>(
    `select coalesce(position::float8, extract(epoch from now())::float8) as "rolledTo",
            extract(epoch from now())::float8 as now
       from (values (1)) one left join chore_progress on name = 'metric-rollup'`,
  );
  return rows[0] as RollupProgress;
}

/** Begins with what happens from now on, and with what checkedSlices finds before. */
export async function beginRollup(db: Db): Promise<void> {
  await db.query(
    `insert into chore_progress (name, position)
     values ('metric-rollup', floor(extract(epoch from now()) / $1::integer)::bigint * $1::integer)
     on conflict (name) do nothing`,
    [SLICE_SECONDS],
  );
}

export async function recordRolledTo(db: Db, rolledTo: number): Promise<void> {
  await db.query(`update chore_progress set position = $1, updated_at = now() where name = 'metric-rollup'`, [
    rolledTo,
  ]);
}

/** Returns the first of these slices that has more rows now than it was made from. */
export async function findLateSlice(db: Db, slices: Slices): Promise<number | undefined> {
  const { rows } = await db.query<{ at: number | null }>(
    `select extract(epoch from min(at))::float8 as at
       from (${COUNT_FACTS}) counted
       left join (select at, seen from metric_slices where at >= $1::timestamptz and at < $2::timestamptz) made using (at)
      where n > coalesce(seen, 0)`,
    boundsOf(slices),
  );
  return rows[0]?.at ?? undefined;
}

/**
 * Makes slices from the rows that are committed now, in place of what they were before. Rows are counted first: one that
 * is committed between two statements is found by findLateSlice.
 */
export async function makeSlices(db: Db, slices: Slices): Promise<void> {
  const bounds = boundsOf(slices);
  await db.query('delete from metric_slices where at >= $1::timestamptz and at < $2::timestamptz', bounds);
  await db.query(`insert into metric_slices (at, seen) select at, n from (${COUNT_FACTS}) counted where n > 0`, bounds);
  await db.query(
    `delete from metric_rollup
      where step_seconds = ${SLICE_SECONDS} and at >= $1::timestamptz and at < $2::timestamptz`,
    bounds,
  );
  for (const measure of STORED_MEASURES) {
    await db.query(
      `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
       select at, ${SLICE_SECONDS}, '${measure}', dimension, tenant_id, key, bucket, count
         from (${folded(keyedFacts(measure))}) made`,
      bounds,
    );
  }
}

/** Sums slices into minutes, and minutes into hours, once they are old enough and no slice of theirs is made again. */
export async function coarsenRollup(db: Db, { rolledTo, now }: RollupProgress): Promise<void> {
  let newest = rolledTo - LATE_SECONDS;
  for (const { from, to, afterSeconds } of COARSER) {
    newest = Math.floor(Math.min(newest, now - afterSeconds) / to) * to;
    const taken = `
      select date_bin('${to} seconds', at, timestamptz '2000-01-01 00:00:00Z') as at, measure || ' ' || dimension as dimension,
             tenant_id, key, bucket, count from finer`;
    await db.query(
      `with finer as (
         delete from metric_rollup where step_seconds = ${from} and at < to_timestamp($1) returning *
       )
       insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
       select at, ${to}, split_part(dimension, ' ', 1), split_part(dimension, ' ', 2), tenant_id, key, bucket, count
         from (${folded(taken)}) made`,
      [newest],
    );
  }
}

/** Forgets what is too old, at most `limit` rows of each kind. */
export async function forgetRollup(db: Db, { rolledTo, now }: RollupProgress, limit: number): Promise<void> {
  const late = rolledTo - LATE_SECONDS;
  await db.query('delete from metric_slices where at < to_timestamp($1)', [late]);
  await db.query(
    `delete from delivery_closings where ctid = any (array(
       select ctid from delivery_closings where at < to_timestamp($1) limit $2))`,
    [late, limit],
  );
  await db.query(
    `delete from metric_rollup where ctid = any (array(
       select ctid from metric_rollup where step_seconds = $3 and at < to_timestamp($1) limit $2))`,
    [now - KEPT_SECONDS, limit, COARSER[1].to],
  );
}

const boundsOf = ({ from, to }: Slices): string[] =>
  [from, to].map((seconds) => new Date(seconds * 1_000).toISOString());
