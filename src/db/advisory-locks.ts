import type { Pool, PoolClient } from 'pg';
import { inTransaction, type Db } from './pool';

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
  metricRollup: 7_305_027,
  usage: 7_305_029,
  operatorEvents: 7_305_028,
  orderedKeys: 7_305_035,
  /** With a hash of the tenant: events of tenants with an ordered destination are stored one batch after the other. */
  orderOfTenant: 7_305_036,
  /** With a hash of the destination's id. */
  failuresOfDestination: 7_305_025,
  /** Shared: makes deliveries of stored events. Exclusive: removes or revises their payloads. Taken before locks of rows. */
  storedPayloads: 7_305_024,
} as const;

/** How long a request or a step of a backfill waits for storedPayloads. The pool waits as long for a connection. */
export const STORED_PAYLOADS_WAIT_MS = 5_000;

/** Tries to take the lock until the end of the transaction. Returns false when another session holds it. */
export async function tryTransactionLock(db: Db, key: number): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [key]);
  return rows[0]?.locked ?? false;
}

/** Runs `work` in a transaction that has the lock. Returns `elsewhere` when another session holds it. */
export function underTransactionLock<T>(
  pool: Pool,
  key: number,
  work: (db: PoolClient) => Promise<T>,
): Promise<T | 'elsewhere'> {
  return inTransaction(pool, async (db) => ((await tryTransactionLock(db, key)) ? work(db) : 'elsewhere'));
}

/**
 * Takes the lock until the end of the transaction, and waits for it. Whoever asks meanwhile for a share of it waits
 * behind, so the wait is bounded.
 * @throws an error with SQLSTATE 55P03 after `mostWaitMs`; the transaction can only be rolled back then
 */
export async function takeTransactionLock(db: Db, key: number, mostWaitMs: number): Promise<void> {
  await db.query(waitingFor('pg_advisory_xact_lock($1)'), [key, `${mostWaitMs}ms`]);
}

/**
 * Takes the lock until the end of the transaction, and waits while another session has it for itself alone.
 * @throws as takeTransactionLock
 */
export async function shareTransactionLock(db: Db, key: number, mostWaitMs: number): Promise<void> {
  await db.query(waitingFor('pg_advisory_xact_lock_shared($1)'), [key, `${mostWaitMs}ms`]);
}

/** The bound is that of this statement alone. Each part needs the one before it, so they run in this order. */
const waitingFor = (lock: string): string => `
  with before as materialized (select current_setting('lock_timeout') as bound),
       bounded as materialized (select set_config('lock_timeout', $2, true), bound from before),
       locked as materialized (select ${lock}, bound from bounded)
  select set_config('lock_timeout', bound, true) from locked`;
