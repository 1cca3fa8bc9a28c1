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
  erasureLoop: 7_305_023,
  auditChain: 7_305_026,
  /** With a hash of the destination's id. */
  failuresOfDestination: 7_305_025,
  /** Shared: makes deliveries of stored events. Exclusive: removes or revises their payloads. Taken before locks of rows. */
  storedPayloads: 7_305_024,
} as const;

/** Tries to take the lock until the end of the transaction. Returns false when another session holds it. */
export async function tryTransactionLock(db: Db, key: number): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [key]);
  return rows[0]?.locked ?? false;
}

/** Takes the lock until the end of the transaction, and waits for it. */
export async function takeTransactionLock(db: Db, key: number): Promise<void> {
  await db.query('select pg_advisory_xact_lock($1)', [key]);
}

/** Takes the lock until the end of the transaction, and waits while another session has it for itself alone. */
export async function shareTransactionLock(db: Db, key: number): Promise<void> {
  await db.query('select pg_advisory_xact_lock_shared($1)', [key]);
}
