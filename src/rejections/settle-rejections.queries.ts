import type { Db } from '../db/pool';
import type { RejectionStatus } from './rejection';

/** A rejection that has an event. */
export interface Resubmitted {
  id: string;
  eventId: string;
  /** Whether the event was made from another record. */
  duplicate: boolean;
}

/**
 * Locks these rejections until the transaction ends, as far as they have this status. Leaves out those that another
 * transaction has locked: it resubmits or discards them. Returns their ids.
 */
export async function lockForResubmission(db: Db, ids: readonly string[], status: RejectionStatus): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from rejections
      where id = any ($1::uuid[]) and status = $2 and erased_at is null
      order by id for no key update skip locked`,
    [ids, status],
  );
  return rows.map(({ id }) => id);
}

/** Records the events of rejections that this transaction has locked. */
export async function markResubmitted(db: Db, settled: readonly Resubmitted[]): Promise<void> {
  if (settled.length === 0) return;
  await db.query(
    `update rejections r set status = 'RESUBMITTED', settled_at = now(), event_id = s.event_id, duplicate = s.duplicate
       from unnest($1::uuid[], $2::uuid[], $3::boolean[]) as s (id, event_id, duplicate) where r.id = s.id`,
    [settled.map(({ id }) => id), settled.map(({ eventId }) => eventId), settled.map(({ duplicate }) => duplicate)],
  );
}

/** Discards these rejections, as far as they are open. Returns their number. */
export async function discardRejections(db: Db, ids: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `with locked as (
       select id from rejections where id = any ($1::uuid[]) and status = 'OPEN' order by id for no key update
     )
     update rejections r set status = 'DISCARDED', settled_at = now() from locked where r.id = locked.id`,
    [ids],
  );
  return rowCount ?? 0;
}
