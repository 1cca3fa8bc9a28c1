import type { Db } from '../db/pool';

/** Entries that are counted at most for each state; beyond it the answer says so. */
export const MOST_COUNTED = 10_000;

export interface OutboxStates {
  pending: number;
  inFlight: number;
  failed: number;
  oldestPendingSeconds: number | null;
}

/** Open entries by the index on open ones, FAILED ones by the index on refused ones; never the whole table. */
export async function readOutboxStates(db: Db): Promise<OutboxStates> {
  const { rows } = await db.query<OutboxStates>(
    `select (select count(*)::int from (select from outbox where closed_at is null and status = 'PENDING' limit $1) p)
              as pending,
            (select count(*)::int from (
               select from (select status from outbox where closed_at is null order by id limit $1) o
                where status = 'IN_FLIGHT') f) as "inFlight",
            (select count(*)::int from (select from outbox where closed_at is not null and last_error is not null
                                           and status = 'FAILED' limit $1) x) as failed,
            (select extract(epoch from now() - created_at)::float8 from outbox
              where closed_at is null order by id limit 1) as "oldestPendingSeconds"`,
    [MOST_COUNTED],
  );
  return rows[0] as OutboxStates;
}

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

export async function listFailedEntries(db: Db, limit: number): Promise<FailedEntry[]> {
  const { rows } = await db.query<FailedEntry>(
    `select id, event_id as "eventId", destination, dispatch_no as "dispatchNo", attempts, last_error as "lastError",
            created_at as "createdAt", closed_at as "closedAt"
       from outbox where closed_at is not null and last_error is not null and status = 'FAILED'
      order by id desc limit $1`,
    [limit],
  );
  return rows;
}

/**
 * Gives FAILED entries to the publisher again, the oldest first, all or those with these ids. Returns the ids of those
 * that were FAILED. Entries keep their ids: what the event says about its dispatch stays true.
 */
export async function requeueFailedEntries(
  db: Db,
  request: { ids: readonly string[] | null; limit: number },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `with picked as (
       select id, created_at from outbox
        where closed_at is not null and last_error is not null and status = 'FAILED'
          and ($1::bigint[] is null or id = any ($1))
        order by id limit $2 for update skip locked
     )
     update outbox o
        set status = 'PENDING', closed_at = null, attempts = 0, next_attempt_at = null, lock_owner = null,
            lock_acquired_at = null
       from picked where o.id = picked.id and o.created_at = picked.created_at
     returning o.id`,
    [request.ids, request.limit],
  );
  return rows.map(({ id }) => id);
}
