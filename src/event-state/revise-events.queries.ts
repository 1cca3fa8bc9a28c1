import { ADVISORY_LOCKS, STORED_PAYLOADS_WAIT_MS, takeTransactionLock } from '../db/advisory-locks';
import type { Db } from '../db/pool';

/**
 * Locks the state of an event until the transaction ends. An event that succeeded in its first attempt has none, and
 * gets one; the caller rolls back unless it makes a revision. No delivery of a stored event is made meanwhile: it would
 * carry the payload before, and be missed by reviseDeliveries.
 *
 * @arrow [*] --> COMPLETED
 */
export async function lockForRevision(db: Db, eventId: string): Promise<void> {
  await takeTransactionLock(db, ADVISORY_LOCKS.storedPayloads, STORED_PAYLOADS_WAIT_MS);
  await db.query(
    `insert into event_state (event_id, status, generation, dispatch_no, attempts)
     select a.event_id, 'COMPLETED', 1, 1, 0 from processing_attempts a
      where a.event_id = $1 and a.generation = 1 and a.status = 'SUCCESS'
     on conflict (event_id) do nothing`,
    [eventId],
  );
  await db.query(`select from event_state where event_id = $1 for update`, [eventId]);
}

/**
 * Makes a revision the newest of its event. The next dispatch carries it.
 *
 * @arrow COMPLETED --> COMPLETED
 * @arrow DLQ --> DLQ
 */
export async function setRevision(db: Db, eventId: string, revision: number): Promise<void> {
  await db.query(`update event_state set revision = $2, updated_at = now() where event_id = $1`, [eventId, revision]);
}
