import type { Db } from '../../db/pool';
import type { ReplayMode } from '../../event-state/dispatch-replayed.queries';

/** Why a replay to one destination leaves an event out. */
export type DestinationSkip =
  | 'gone'
  | 'erased'
  | 'under-replay'
  | 'handlers-not-done'
  | 'destination-disabled'
  | 'delivering'
  | 'discarded'
  | 'not-failed'
  | 'moved-on';

/** An event, and its newest delivery to the destination. `reason` is null if the replay sends the event to it. */
export interface DestinationCandidate {
  eventId: string;
  /** 0 if there is no delivery. */
  generation: number;
  reason: DestinationSkip | null;
}

/**
 * Reads which events a replay to one destination sends. `republish` opens a FAILED delivery again. `reprocess` makes a new
 * delivery unless the newest is open, or DISCARDED without `discardedToo`. Handlers must be done, because they do not run.
 * `ownReplay` is the replay that asks; an event that only this replay holds counts as free.
 */
export async function assessForDestination(
  db: Db,
  question: {
    ids: readonly string[];
    destinationId: string;
    mode: ReplayMode;
    discardedToo: boolean;
    ownReplay: string | null;
  },
): Promise<DestinationCandidate[]> {
  const { rows } = await db.query<DestinationCandidate>(
    `select picked.id as "eventId", coalesce(newest.generation, 0) as generation,
            case when e.id is null then 'gone'
                 when e.erased_at is not null then 'erased'
                 when held.yes then 'under-replay'
                 when done.yes is null then 'handlers-not-done'
                 when not exists (select from destinations t where t.id = $2 and t.enabled) then 'destination-disabled'
                 when newest.status = 'OPEN' then 'delivering'
                 when $3 = 'republish' and newest.status is distinct from 'FAILED' then 'not-failed'
                 when newest.status = 'DISCARDED' and not $4 then 'discarded' end as reason
       from unnest($1::uuid[]) as picked (id)
       left join lateral (select e.id, e.erased_at from events e where e.id = picked.id limit 1) e on true
       left join event_state s on s.event_id = picked.id
       left join lateral (
         select true as yes from processing_attempts a
          where a.event_id = picked.id and a.generation = coalesce(s.generation, 1) and a.status = 'SUCCESS' limit 1
       ) done on true
       left join lateral (
         select d.generation, d.status from deliveries d
          where d.event_id = picked.id and d.destination_id = $2 order by d.generation desc limit 1
       ) newest on true
       left join lateral (
         select true as yes from replay_events r
          where r.event_id = picked.id and r.outcome in ('PENDING', 'DISPATCHED')
            and r.replay_id is distinct from $5::uuid limit 1
       ) held on true
      order by picked.id`,
    [question.ids, question.destinationId, question.mode, question.discardedToo, question.ownReplay],
  );
  return rows;
}
