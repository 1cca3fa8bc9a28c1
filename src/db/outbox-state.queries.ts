import type { Db } from './pool';

/** Counts stop here: an exact number beyond it would cost more than it tells. */
export const BACKLOG_CAP = 100_000;
const FAILED_CAP = 10_000;

export interface OutboxFigures {
  /** Each at most BACKLOG_CAP. */
  pending: number;
  inFlight: number;
  /** At most 10 000. */
  failed: number;
  /** 0 when nothing is open. */
  oldestOpenSeconds: number;
}

/** From the two small partial indexes; published entries, however many, are not looked at. */
export async function readOutboxFigures(db: Db): Promise<OutboxFigures> {
  const { rows } = await db.query<OutboxFigures>({
    name: 'read-outbox-figures',
    text: `
      select coalesce(sum((status = 'PENDING')::integer), 0)::integer as pending,
             coalesce(sum((status = 'IN_FLIGHT')::integer), 0)::integer as "inFlight",
             (select count(*)::integer from (select from outbox where failed_at is not null limit $2) f) as failed,
             coalesce((select greatest(extract(epoch from now() - created_at), 0)::float8
                         from outbox where closed_at is null order by id limit 1), 0) as "oldestOpenSeconds"
        from (select status from outbox where closed_at is null limit $1) as o`,
    values: [BACKLOG_CAP, FAILED_CAP],
  });
  return rows[0] as OutboxFigures;
}

export interface FailedEntry {
  /** bigint as text. */
  id: string;
  eventId: string;
  destination: 'main' | 'retry' | 'dlq';
  dispatchNo: number;
  failedAt: string;
  reason: string;
}

/** Oldest first, after the entry `afterId`. */
export async function listFailedEntries(db: Db, page: { limit: number; afterId?: string }): Promise<FailedEntry[]> {
  const { rows } = await db.query<FailedEntry>(
    `select id, event_id as "eventId", destination, dispatch_no as "dispatchNo", failed_at as "failedAt",
            last_error as reason
       from outbox where failed_at is not null and id > $1 order by id limit $2`,
    [page.afterId ?? '0', page.limit],
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
