import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../pool';
import { listLockHolders } from './partitions.queries';

/** Longer than a transaction of StreamForge holds a lock in normal operation. */
const HELD_MS = 1_000;

/**
 * True if a transaction has held a lock on one of the tables for a while, as a dump or a report does. A lock that waited
 * for it would make everybody else wait behind itself, so it is not even asked for.
 */
export async function areHeld(db: Db, tables: readonly string[]): Promise<boolean> {
  const before = await listLockHolders(db, tables);
  if (before.length === 0) return false;
  await sleep(HELD_MS);
  const now = await listLockHolders(db, tables);
  return now.some((holder) => before.includes(holder));
}
