import type { Db } from './pool';

/** Keys of PostgreSQL advisory locks. All are listed here, so that no two uses share a key by accident. */
export const ADVISORY_LOCKS = {
  migrations: 7_305_001,
  partitions: 7_305_002,
  reconciler: 7_305_003,
  dueRetries: 7_305_004,
  closedDestinations: 7_305_006,
  deliveryWorkers: 7_305_021,
  failingDestinations: 7_305_022,
  replays: 7_305_020,
} as const;

/** Tries to take the lock until the end of the transaction. Returns false when another session holds it. */
export async function tryTransactionLock(db: Db, key: number): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [key]);
  return rows[0]?.locked ?? false;
}
