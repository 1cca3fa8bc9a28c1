import type { Db } from '../../db/pool';
import type { Dispatch } from '../../event-state/dispatch-again.queries';
import type { SkipReason } from '../../event-state/dispatch-replayed.queries';
import type { DestinationSkip } from './destination-replay.queries';

export type ReplaySkip = SkipReason | DestinationSkip;

/** Adds the events to the replay, except those that are open in another replay. */
export async function insertReplayEvents(db: Db, replayId: string, ids: readonly string[]): Promise<void> {
  await db.query(
    `insert into replay_events (replay_id, event_id) select $1, id from unnest($2::uuid[]) as t (id) order by id
     on conflict (event_id) where outcome in ('PENDING', 'DISPATCHED') do nothing`,
    [replayId, ids],
  );
}

/** Records the events that `insertReplayEvents` left out as skipped. Returns their number. */
export async function insertUnderReplay(db: Db, replayId: string, ids: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `insert into replay_events (replay_id, event_id, outcome, reason, settled_at)
     select $1, id, 'SKIPPED', 'under-replay', now() from unnest($2::uuid[]) as t (id)
     on conflict (replay_id, event_id) do nothing`,
    [replayId, ids],
  );
  return rowCount ?? 0;
}

export async function listPending(db: Db, replayId: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ event_id: string }>(
    `select event_id from replay_events where replay_id = $1 and outcome = 'PENDING' order by event_id limit $2`,
    [replayId, limit],
  );
  return rows.map(({ event_id }) => event_id);
}

export async function recordDispatched(db: Db, replayId: string, dispatches: readonly Dispatch[]): Promise<void> {
  await db.query(
    `update replay_events r
        set outcome = 'DISPATCHED', dispatched_at = now(), generation = t.generation, dispatch_no = t.dispatch_no,
            outbox_id = t.outbox_id
       from unnest($2::uuid[], $3::integer[], $4::integer[], $5::bigint[]) as t (id, generation, dispatch_no, outbox_id)
      where r.replay_id = $1 and r.event_id = t.id`,
    [
      replayId,
      dispatches.map(({ eventId }) => eventId),
      dispatches.map(({ generation }) => generation),
      dispatches.map(({ dispatchNo }) => dispatchNo),
      dispatches.map(({ outboxId }) => outboxId),
    ],
  );
}

/** Records events whose deliveries to one destination are in the queue. For the replay, they are completed. */
export async function recordSent(db: Db, replayId: string, ids: readonly string[]): Promise<void> {
  await db.query(
    `update replay_events set outcome = 'COMPLETED', dispatched_at = now(), settled_at = now()
      where replay_id = $1 and event_id = any ($2::uuid[])`,
    [replayId, ids],
  );
}

export async function recordSkipped(
  db: Db,
  replayId: string,
  skipped: readonly { eventId: string; reason: ReplaySkip }[],
): Promise<void> {
  await db.query(
    `update replay_events r set outcome = 'SKIPPED', reason = t.reason, settled_at = now()
       from unnest($2::uuid[], $3::text[]) as t (id, reason) where r.replay_id = $1 and r.event_id = t.id`,
    [replayId, skipped.map(({ eventId }) => eventId), skipped.map(({ reason }) => reason)],
  );
}

/** The outcome of an event that the replay dispatched. */
export interface Settled {
  eventId: string;
  outcome: 'COMPLETED' | 'DEAD_LETTERED' | 'SKIPPED';
}

/**
 * Lists dispatched events of a replay that are settled now. Lateral joins look up each event by key. A plain join would
 * be planned from statistics that are out of date, because these tables grow quickly during a replay.
 */
export async function listSettled(db: Db, replayId: string): Promise<Settled[]> {
  const { rows } = await db.query<Settled>(
    `select r.event_id as "eventId",
            case when s.status in ('DLQ', 'DISCARDED') then 'DEAD_LETTERED' when e.id is null then 'SKIPPED'
                 else 'COMPLETED' end as outcome
       from (select event_id, generation, outbox_id from replay_events
              where replay_id = $1 and outcome = 'DISPATCHED' offset 0) r
       left join lateral (select e.id from events e where e.id = r.event_id limit 1) e on true
       left join lateral (
         select s.status from event_state s where s.event_id = r.event_id and s.generation = r.generation limit 1
       ) s on true
       left join lateral (
         select true as yes from processing_attempts a
          where a.event_id = r.event_id and a.generation = r.generation and a.status = 'SUCCESS' limit 1
       ) done on true
       left join lateral (
         select true as yes from outbox o where o.id = r.outbox_id and o.closed_at is null limit 1
       ) waits on true
      where s.status in ('DLQ', 'DISCARDED') or e.id is null or done.yes and waits.yes is null`,
    [replayId],
  );
  return rows;
}

export async function recordSettled(db: Db, replayId: string, settled: readonly Settled[]): Promise<void> {
  await db.query(
    `update replay_events r
        set outcome = t.outcome, reason = case t.outcome when 'SKIPPED' then 'gone' end, settled_at = now()
       from unnest($2::uuid[], $3::text[]) as t (id, outcome) where r.replay_id = $1 and r.event_id = t.id`,
    [replayId, settled.map(({ eventId }) => eventId), settled.map(({ outcome }) => outcome)],
  );
}

/** Cancels the events that are not dispatched yet. Returns their number. */
export async function cancelPending(db: Db, replayId: string): Promise<number> {
  const { rowCount } = await db.query(
    `update replay_events set outcome = 'CANCELLED', settled_at = now() where replay_id = $1 and outcome = 'PENDING'`,
    [replayId],
  );
  return rowCount ?? 0;
}

export async function countOutcomes(
  db: Db,
  replayId: string,
): Promise<{ outcome: string; reason: ReplaySkip | null; count: number }[]> {
  const { rows } = await db.query<{ outcome: string; reason: ReplaySkip | null; count: number }>(
    `select outcome, reason, count(*)::int as count from replay_events where replay_id = $1 group by outcome, reason`,
    [replayId],
  );
  return rows;
}
