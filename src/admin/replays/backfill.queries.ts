import type { Db } from '../../db/pool';
import type { ReplayStatus } from './replay.queries';

/** A backfill that one process steps. Instants are those of PostgreSQL. */
export interface BackfillInHand {
  replayId: string;
  destinationId: string;
  type: string | null;
  position: string;
  below: string;
  remaining: number | null;
  ratePerSecond: number | null;
  status: ReplayStatus;
  /** When its next delivery may be due. */
  nextDueAt: string;
  /** Seconds until then; 0 if that time has come. */
  aheadSeconds: number;
}

export type NewBackfill = Pick<
  BackfillInHand,
  'replayId' | 'destinationId' | 'type' | 'position' | 'below' | 'remaining' | 'ratePerSecond'
>;

export async function insertBackfill(db: Db, backfill: NewBackfill): Promise<void> {
  const { replayId, destinationId, type, position, below, remaining, ratePerSecond } = backfill;
  await db.query(
    `insert into backfills (replay_id, destination_id, type, position, below, remaining, rate_per_second)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [replayId, destinationId, type, position, below, remaining, ratePerSecond],
  );
}

/** Which events a backfill looks at: those of a tenant with ids between `position` and `below`, both exclusive. */
export interface BackfillRange {
  tenantId: string;
  position: string;
  below: string;
}

/**
 * Counts the events of a range whose type matches one of `types` and, if it is given, `type`. Stops at `most`, and after it
 * has read `mostRead` events. `more` is true if it stopped early.
 */
export async function countBackfillEvents(
  db: Db,
  { tenantId, position, below }: BackfillRange,
  wanted: { types: readonly string[]; type: string | null; most: number; mostRead: number },
): Promise<{ matched: number; more: boolean }> {
  const { types, type, most, mostRead } = wanted;
  const { rows } = await db.query<{ matched: number; stopped: boolean }>(
    `select count(*) filter (where matches and nth <= $7)::integer as matched, coalesce(bool_or(nth > $7), false) as stopped
       from (select matches, nth
               from (select row_number() over () as nth,
                            exists (select from unnest($4::text[]) p
                                     where case when right(p, 1) = '*' then starts_with(type, left(p, -1)) else type = p end)
                            and ($5::text is null
                                 or case when right($5, 1) = '*' then starts_with(type, left($5, -1)) else type = $5 end)
                              as matches
                       from (select e.type from events e
                              where e.tenant_id = $1 and e.id > $2 and e.id < $3 order by e.id limit $7 + 1) read) numbered
              where matches or nth > $7 limit $6 + 1) found`,
    [tenantId, position, below, types, type, most, mostRead],
  );
  const { matched = 0, stopped = false } = rows[0] ?? {};
  return { matched: Math.min(matched, most), more: stopped || matched > most };
}

/** Lists the events of a range, oldest first. */
export async function listBackfillEvents(
  db: Db,
  { tenantId, position, below }: BackfillRange,
  limit: number,
): Promise<{ id: string; type: string }[]> {
  const { rows } = await db.query<{ id: string; type: string }>(
    'select id, type from events where tenant_id = $1 and id > $2 and id < $3 order by id limit $4',
    [tenantId, position, below, limit],
  );
  return rows;
}

/** Lists the ids of unfinished backfills above `after`, oldest first. */
export async function listUnfinishedBackfills(db: Db, after: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'select replay_id as id from backfills where finished_at is null and replay_id > $1 order by replay_id limit $2',
    [after, limit],
  );
  return rows.map(({ id }) => id);
}

/** Locks a backfill for one step. Returns undefined when it is finished or another process has locked it. */
export async function lockBackfill(db: Db, id: string): Promise<BackfillInHand | undefined> {
  const { rows } = await db.query<BackfillInHand>(
    `select replay_id as "replayId", destination_id as "destinationId", type, position, below, remaining,
            rate_per_second as "ratePerSecond", status, greatest(next_due_at, now()) as "nextDueAt",
            greatest(extract(epoch from next_due_at - now()), 0)::float8 as "aheadSeconds"
       from backfills where replay_id = $1 and finished_at is null for update skip locked`,
    [id],
  );
  return rows[0];
}

/** Counts the open deliveries of a backfill, up to `most`. */
export async function countOpenOfBackfill(db: Db, replayId: string, most: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    'select count(*)::integer as n from (select from delivery_queue where replay_id = $1 limit $2) open',
    [replayId, most],
  );
  return rows[0]?.n ?? 0;
}

export interface BackfillMove {
  position: string;
  filled: number;
  /** Events that got no delivery, by reason. */
  skipped: Record<string, number>;
  /** How long the deliveries just made take at their rate. */
  spanSeconds: number;
}

/** Records what a step has done. Events that were skipped count toward the limit. */
export async function moveBackfill(db: Db, replayId: string, move: BackfillMove): Promise<void> {
  const { position, filled, skipped, spanSeconds } = move;
  await db.query(
    `update backfills
        set position = $2, filled = filled + $3, remaining = remaining - $3 - $4,
            next_due_at = greatest(next_due_at, now()) + make_interval(secs => $6),
            skipped = skipped || coalesce((select jsonb_object_agg(key, value::integer + coalesce((skipped ->> key)::integer, 0))
                                             from jsonb_each_text($5::jsonb)), '{}')
      where replay_id = $1`,
    [replayId, position, filled, Object.values(skipped).reduce((sum, n) => sum + n, 0), skipped, spanSeconds],
  );
}

/** Corrects the number of matched events once a backfill has looked at all of them. */
export async function correctMatched(db: Db, replayId: string): Promise<void> {
  await db.query(
    `update replays r
        set matched = b.filled + coalesce((select sum(value::integer) from jsonb_each_text(b.skipped)), 0)
       from backfills b where r.id = $1 and b.replay_id = $1 and b.status = 'RUNNING'`,
    [replayId],
  );
}

/** Finishes a backfill that has no open deliveries. */
export async function finishBackfill(db: Db, replayId: string): Promise<void> {
  await db.query(
    `update backfills set finished_at = now(), status = case when status = 'RUNNING' then 'DONE' else status end
      where replay_id = $1 and finished_at is null
        and not exists (select from delivery_queue where replay_id = $1)`,
    [replayId],
  );
}

/** Stops a backfill that is running. Returns whether it was running. */
export async function cancelBackfill(db: Db, replayId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update backfills set status = 'CANCELLED' where replay_id = $1 and status = 'RUNNING'`,
    [replayId],
  );
  return rowCount === 1;
}

export interface BackfillCounts {
  matched: number;
  status: ReplayStatus;
  filled: number;
  skipped: Record<string, number>;
  /** Its deliveries that are in the queue, FAILED or DISCARDED, and SKIPPED because the destination was closed. */
  open: number;
  failed: number;
  closed: number;
}

/**
 * Returns undefined if no backfill has this id. Counts only what is rare among its deliveries: the others are DELIVERED.
 */
export async function countBackfill(db: Db, replayId: string): Promise<BackfillCounts | undefined> {
  const { rows } = await db.query<BackfillCounts>(
    `select r.matched, b.status, b.filled, b.skipped, b.closed,
            (select count(*)::integer from delivery_queue q where q.replay_id = $1) as open,
            (select count(*)::integer from deliveries d where d.replay_id = $1 and d.failed_at is not null) as failed
       from backfills b join replays r on r.id = b.replay_id where b.replay_id = $1`,
    [replayId],
  );
  return rows[0];
}
