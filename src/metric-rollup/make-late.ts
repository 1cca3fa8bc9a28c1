import type { Pool, PoolClient } from 'pg';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import { ROLLUP_PLANS } from './facts';
import { completeAgain, findLateSlices, findSlicesToComplete, makeLateSlice } from './late-slices.queries';
import { readRollupProgress, type Slices } from './rollup.queries';

/** Runs `work` in a transaction. Returns `elsewhere` if another process is rolling up. */
export function rollingUp<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T | 'elsewhere'> {
  return underTransactionLock(pool, ADVISORY_LOCKS.metricRollup, async (db) => {
    await db.query(ROLLUP_PLANS);
    return work(db);
  });
}

/**
 * Makes those of these slices again that have rows which were committed late, and completes the later ones again that this
 * concerns: the oldest `most` of each. Each slice is a transaction of its own. Returns false if another process is rolling
 * up, so that this is not done.
 */
export async function makeLate(pool: Pool, ranges: readonly Slices[], most: number): Promise<boolean> {
  const late = await rollingUp(pool, (db) => findLateSlices(db, ranges));
  if (late === 'elsewhere') return false;
  for (const at of late.slice(0, most)) {
    const made = await rollingUp(pool, async (db) => makeLateSlice(db, at, (await readRollupProgress(db)).rolledTo));
    if (made === 'elsewhere') return false;
  }
  for (const at of await findSlicesToComplete(pool, most)) {
    if ((await rollingUp(pool, (db) => completeAgain(db, at))) === 'elsewhere') return false;
  }
  return true;
}
