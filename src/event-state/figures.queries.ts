import type { Db } from '../db/pool';

/** Counts stop here: an exact number beyond it would cost more than it tells. */
export const BACKLOG_CAP = 100_000;

export interface OutboxFigures {
  /** Each count is at most BACKLOG_CAP. */
  pending: number;
  inFlight: number;
  failed: number;
  /** null when nothing is open. */
  oldestOpenSeconds: number | null;
}

/** From the two small partial indexes; published entries, however many, are not looked at. */
export async function readOutboxFigures(db: Db): Promise<OutboxFigures> {
  const { rows } = await db.query<OutboxFigures>({
    name: 'read-outbox-figures',
    text: `
      select coalesce(sum((status = 'PENDING')::integer), 0)::integer as pending,
             coalesce(sum((status = 'IN_FLIGHT')::integer), 0)::integer as "inFlight",
             (select count(*)::integer from (select from outbox where failed_at is not null limit $1) f) as failed,
             (select greatest(extract(epoch from now() - created_at), 0)::float8
                from outbox where closed_at is null order by id limit 1) as "oldestOpenSeconds"
        from (select status from outbox where closed_at is null limit $1) as o`,
    values: [BACKLOG_CAP],
  });
  return rows[0] as OutboxFigures;
}

/** Open outbox entries, counted up to `most`. */
export async function countOpenEntries(db: Db, most: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    'select count(*)::int as n from (select from outbox where closed_at is null limit $1) open',
    [most],
  );
  return rows[0]?.n ?? 0;
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

/** The newest first. */
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
 * Puts FAILED entries, those with these ids or the oldest `limit`, back as PENDING; the caller then signals the
 * publisher. Returns their ids. The reconciler has passed them: it goes back, so that it looks after them once more (I13).
 */
export async function requeueFailed(
  db: Db,
  { ids, limit }: { ids?: readonly string[]; limit: number },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `with failed as materialized (
       select id, created_at from outbox
        where failed_at is not null and ($1::bigint[] is null or id = any ($1)) order by id limit $2
          for update
     ), requeued as (
       update outbox o
          set status = 'PENDING', closed_at = null, failed_at = null, attempts = 0, lock_owner = null,
              next_attempt_at = null
         from failed where o.id = failed.id and o.created_at = failed.created_at
       returning o.id
     ), gone_back as (
       update chore_progress set position = least(position, (select min(id) from requeued) - 1), updated_at = now()
        where name = 'reconciler' and exists (select from requeued)
     )
     select id from requeued order by id`,
    [ids ?? null, limit],
  );
  return rows.map(({ id }) => id);
}
