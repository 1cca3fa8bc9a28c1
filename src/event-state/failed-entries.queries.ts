import type { Db } from '../db/pool';

export interface FailedEntry {
  /** bigint as text. */
  id: string;
  eventId: string;
  destination: 'main' | 'retry' | 'dlq';
  dispatchNo: number;
  attempts: number;
  lastError: string | null;
  createdAt: string;
  closedAt: string;
}

/** Lists the newest first. */
export async function listFailedEntries(db: Db, limit: number): Promise<FailedEntry[]> {
  const { rows } = await db.query<FailedEntry>(
    `select id, event_id as "eventId", destination, dispatch_no as "dispatchNo", attempts, last_error as "lastError",
            created_at as "createdAt", closed_at as "closedAt"
       from outbox where failed_at is not null order by id desc limit $1`,
    [limit],
  );
  return rows;
}

/**
 * Sets FAILED entries back to PENDING, either those with these ids or the oldest, up to `limit`. Returns them. The
 * caller then wakes the publisher. The reconciler may have passed these entries, so its position moves back before them
 * (I13).
 */
export async function requeueFailed(
  db: Db,
  { ids, limit }: { ids?: readonly string[]; limit: number },
): Promise<Pick<FailedEntry, 'id' | 'eventId'>[]> {
  const { rows } = await db.query<Pick<FailedEntry, 'id' | 'eventId'>>(
    `with failed as materialized (
       select id, created_at from outbox
        where failed_at is not null and ($1::bigint[] is null or id = any ($1)) order by id limit $2
          for update
     ), requeued as (
       update outbox o
          set status = 'PENDING', closed_at = null, failed_at = null, attempts = 0, lock_owner = null,
              next_attempt_at = null
         from failed where o.id = failed.id and o.created_at = failed.created_at
       returning o.id, o.event_id
     ), gone_back as (
       update chore_progress set position = least(position, (select min(id) from requeued) - 1), updated_at = now()
        where name = 'reconciler' and exists (select from requeued)
     )
     select id, event_id as "eventId" from requeued order by id`,
    [ids ?? null, limit],
  );
  return rows;
}
