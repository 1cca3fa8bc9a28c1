import type { Db } from './pool';

/** Keys of PostgreSQL advisory locks. One place, so that no two uses share a key by accident. */
export const ADVISORY_LOCKS = {
  migrations: 7_305_001,
  partitions: 7_305_002,
  reconciler: 7_305_003,
  dueRetries: 7_305_004,
  replays: 7_305_020,
} as const;

/** Takes the lock until the end of the transaction; false when another process has it. */
export async function tryTransactionLock(db: Db, key: number): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [key]);
  return rows[0]?.locked ?? false;
}
