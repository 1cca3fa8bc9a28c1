import type { Db } from '../db/pool';
import { countFacts } from './count-facts';
import { COMPLETED_LATER } from './facts';
import { boundsOf, makeMeasure, makeSlices, type Slices } from './rollup.queries';
import { instantOf, SLICE_SECONDS } from './steps';

/** Returns those of these slices that have more rows now than they were made from, in seconds since 1970, the oldest first. */
export async function findLateSlices(db: Db, ranges: readonly Slices[]): Promise<number[]> {
  const { rows } = await db.query<{ at: number }>(
    `select extract(epoch from at)::float8 as at
       from (${countFacts(ranges.length)}) counted left join metric_slices made using (at)
      where n > coalesce(seen, 0) order by at`,
    ranges.flatMap(boundsOf),
  );
  return rows.map(({ at }) => at);
}

/**
 * Makes a slice again. What is new in it may be what an event had been waiting for that was completed in a later slice, so
 * these slices are completed again (findSlicesToComplete).
 */
export async function makeLateSlice(db: Db, at: number, rolledTo: number): Promise<void> {
  const slice = oneSlice(at);
  await makeSlices(db, slice);
  await db.query(`update metric_slices set complete_again = true where at = any (array(${COMPLETED_LATER}))`, [
    ...boundsOf(slice),
    instantOf(rolledTo),
  ]);
}

/** Returns the oldest `most` slices whose completed events are to be counted again. In seconds since 1970. */
export async function findSlicesToComplete(db: Db, most: number): Promise<number[]> {
  const { rows } = await db.query<{ at: number }>(
    `select extract(epoch from at)::float8 as at from metric_slices where complete_again order by at limit $1`,
    [most],
  );
  return rows.map(({ at }) => at);
}

/** Counts the completed events of a slice again. */
export async function completeAgain(db: Db, at: number): Promise<void> {
  await makeMeasure(db, 'completed', oneSlice(at));
  await db.query('update metric_slices set complete_again = false where at = $1', [instantOf(at)]);
}

const oneSlice = (at: number): Slices => ({ from: at, to: at + SLICE_SECONDS });
