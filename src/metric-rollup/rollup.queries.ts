import type { Db } from '../db/pool';
import { countFacts } from './count-facts';
import { keyedFacts } from './facts';
import { folded } from './fold';
import { STORED_MEASURES, type StoredMeasure } from './measures';
import { instantOf, SLICE_SECONDS } from './steps';

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

/** Brings the indexes by which attempts of a time are found up to date. */
export async function summariseAttempts(db: Db): Promise<void> {
  await db.query('select summarise_attempts()');
}

export async function recordRolledTo(db: Db, rolledTo: number): Promise<void> {
  await db.query(`update chore_progress set position = $1, updated_at = now() where name = 'metric-rollup'`, [
    rolledTo,
  ]);
}

/**
 * Makes slices from the rows that are committed now, in place of what they were before. Rows are counted first: one that
 * is committed between two statements is found by findLateSlices.
 */
export async function makeSlices(db: Db, slices: Slices): Promise<void> {
  const bounds = boundsOf(slices);
  await db.query('delete from metric_slices where at >= $1::timestamptz and at < $2::timestamptz', bounds);
  await db.query(
    `insert into metric_slices (at, seen) select at, n from (${countFacts(1)}) counted where n > 0`,
    bounds,
  );
  await db.query(
    `delete from metric_rollup
      where step_seconds = ${SLICE_SECONDS} and at >= $1::timestamptz and at < $2::timestamptz`,
    bounds,
  );
  for (const measure of STORED_MEASURES) await insertMeasure(db, measure, slices);
}

/** Makes one measure of slices, in place of what it was before. */
export async function makeMeasure(db: Db, measure: StoredMeasure, slices: Slices): Promise<void> {
  await db.query(
    `delete from metric_rollup
      where step_seconds = ${SLICE_SECONDS} and measure = $3 and at >= $1::timestamptz and at < $2::timestamptz`,
    [...boundsOf(slices), measure],
  );
  await insertMeasure(db, measure, slices);
}

async function insertMeasure(db: Db, measure: StoredMeasure, slices: Slices): Promise<void> {
  await db.query(
    `insert into metric_rollup (at, step_seconds, measure, dimension, tenant_id, key, bucket, count)
     select at, ${SLICE_SECONDS}, '${measure}', dimension, tenant_id, key, bucket, count
       from (${folded(keyedFacts(measure))}) made`,
    boundsOf(slices),
  );
}

export const boundsOf = ({ from, to }: Slices): [string, string] => [instantOf(from), instantOf(to)];
