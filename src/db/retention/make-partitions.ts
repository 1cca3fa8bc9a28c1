import type { Pool, PoolClient } from 'pg';
import { eachInTurn } from '../../runtime/loops/each-in-turn';
import { ADVISORY_LOCKS, underTransactionLock } from '../advisory-locks';
import { classifyPgError, isCancelled } from '../pg-errors';
import { areHeld } from './held-tables';
import { listMissingPartitions, makePartition, waitBrieflyForLocks } from './partitions.queries';

export interface MadePartitions {
  made: number;
  /** Partitions that wait for locks of others. */
  putOff: number;
  /** Another process does upkeep. */
  elsewhere: boolean;
}

/**
 * Makes the partitions of the coming weeks and days, each in a transaction of its own: attaching one locks the default
 * partition, which a dump or a report may be reading. Then it is left for a later run. There is a week for that.
 *
 * @throws the first failure, after the others have had their turn
 */
export async function makePartitions(pool: Pool): Promise<MadePartitions> {
  const held = new Map<string, boolean>();
  let [made, putOff, elsewhere] = [0, 0, false];
  await eachInTurn(await listMissingPartitions(pool), async (missing) => {
    const defaults = `${missing.parent}_default`;
    if (!held.has(defaults)) held.set(defaults, await areHeld(pool, [defaults]));
    if (held.get(defaults)) {
      putOff += 1;
      return;
    }
    const isMade = await unlessBusy(pool, async (db) => {
      await waitBrieflyForLocks(db);
      return makePartition(db, missing);
    });
    if (isMade === 'busy') putOff += 1;
    if (isMade === 'elsewhere') elsewhere = true;
    if (isMade === true) made += 1;
  });
  return { made, putOff, elsewhere };
}

/**
 * Runs `work` in a transaction if no other process does upkeep. Returns `elsewhere` if one does, and `busy` if a table is in
 * use (a lock timeout, or a deadlock that was resolved). A later run tries again.
 */
export async function unlessBusy<T>(
  pool: Pool,
  work: (db: PoolClient) => Promise<T>,
): Promise<T | 'busy' | 'elsewhere'> {
  try {
    return await underTransactionLock(pool, ADVISORY_LOCKS.partitions, work);
  } catch (error) {
    if (classifyPgError(error) !== 'transient' && !isCancelled(error)) throw error;
    return 'busy';
  }
}
