import type { Db } from '../db/pool';
import { appendEntries, RAISED, RETURNING_DISPATCHES, type Dispatch } from './dispatch-again.queries';
import { resolveDeadLetters } from './dispatch-dead-letters.queries';
import { NOTED_AGAIN } from './order/ordered-types';

/** `reprocess` runs all handlers again, in a new generation; `republish` runs only those that have not succeeded. */
export const REPLAY_MODES = ['reprocess', 'republish'] as const;
export type ReplayMode = (typeof REPLAY_MODES)[number];

/** Why a replay does not dispatch an event. */
export type SkipReason =
  'in-outbox' | 'in-process' | 'awaiting-retry' | 'discarded' | 'under-replay' | 'moved-on' | 'gone' | 'erased';

/** The state of an event in a replay. `reason` is null if the event may be dispatched. */
export interface ReplayCandidate {
  eventId: string;
  generation: number;
  dispatchNo: number;
  /** The event has succeeded in its current generation. */
  done: boolean;
  reason: SkipReason | null;
}

/**
 * Reads which events a replay may dispatch: events that are COMPLETED or in the DLQ, and DISCARDED ones if
 * `discardedToo` is set. An event with an open delivery has none of these statuses. `ownReplay` is the replay that asks;
 * an event that only this replay holds counts as free.
 */
export async function assessForReplay(
  db: Db,
  question: { ids: readonly string[]; discardedToo: boolean; ownReplay: string | null },
): Promise<ReplayCandidate[]> {
  const { rows } = await db.query<ReplayCandidate>(
    `select picked.id as "eventId", coalesce(s.generation, 1) as generation,
            coalesce(s.dispatch_no, 1) as "dispatchNo", coalesce(done.yes, false) as done,
            case when e.id is null then 'gone'
                 when e.erased_at is not null then 'erased'
                 when held.yes then 'under-replay'
                 when waits.yes then 'in-outbox'
                 when v.status = 'RETRYING' then 'awaiting-retry'
                 when v.status = 'DISCARDED' and not $2 then 'discarded'
                 when v.status in ('COMPLETED', 'DLQ', 'DISCARDED') then null
                 else 'in-process' end as reason
       from unnest($1::uuid[]) as picked (id)
       left join lateral (select e.id, e.outbox_id, e.erased_at from events e where e.id = picked.id limit 1) e on true
       left join event_state s on s.event_id = picked.id
       left join lateral (select status from event_status v where v.event_id = picked.id offset 0) v on true
       left join lateral (
         select true as yes from processing_attempts a
          where a.event_id = picked.id and a.generation = coalesce(s.generation, 1) and a.status = 'SUCCESS' limit 1
       ) done on true
       left join lateral (
         select true as yes from outbox o
          where o.id = coalesce(s.outbox_id, e.outbox_id) and o.closed_at is null limit 1
       ) waits on true
       left join lateral (
         select true as yes from replay_events r
          where r.event_id = picked.id and r.outcome in ('PENDING', 'DISPATCHED')
            and r.replay_id is distinct from $3::uuid limit 1
       ) held on true
      order by picked.id`,
    [question.ids, question.discardedToo, question.ownReplay],
  );
  return rows;
}

/**
 * Dispatches events of a replay. Skips an event that was dispatched, or discarded, since it was assessed. A republished
 * event that has succeeded stays COMPLETED, so that no worker runs it again.
 *
 * @arrow [*] --> DISPATCHED
 * @arrow [*] --> COMPLETED
 * @arrow DISPATCHED --> DISPATCHED
 * @arrow DISPATCHED --> COMPLETED
 * @arrow COMPLETED --> DISPATCHED
 * @arrow COMPLETED --> COMPLETED
 * @arrow DLQ --> DISPATCHED
 * @arrow DISCARDED --> DISPATCHED
 */
export async function dispatchReplayed(
  db: Db,
  { mode, discardedToo }: { mode: ReplayMode; discardedToo: boolean },
  events: readonly ReplayCandidate[],
): Promise<Dispatch[]> {
  const { rows } = await db.query<Dispatch>(
    `with raised as (
       insert into event_state as s (event_id, status, generation, dispatch_no, attempts, outbox_id)
       select id, case when $1 = 'republish' and done then 'COMPLETED' else 'DISPATCHED' end,
              generation + case when $1 = 'reprocess' then 1 else 0 end, dispatch_no + 1, 0, nextval('outbox_id_seq')
         from unnest($2::uuid[], $3::integer[], $4::integer[], $5::boolean[]) as t (id, generation, dispatch_no, done)
        order by id
       on conflict (event_id) do update
             set status = excluded.status, generation = excluded.generation, dispatch_no = excluded.dispatch_no,
                 attempts = 0, outbox_id = excluded.outbox_id, updated_at = now()
           where s.dispatch_no = excluded.dispatch_no - 1 and (s.status <> 'DISCARDED' or $6)
       returning ${RAISED}
     ), ${resolveDeadLetters('REPLAYED')}, ${NOTED_AGAIN}${appendEntries('retry')}${RETURNING_DISPATCHES}`,
    [
      mode,
      events.map(({ eventId }) => eventId),
      events.map(({ generation }) => generation),
      events.map(({ dispatchNo }) => dispatchNo),
      events.map(({ done }) => done),
      discardedToo,
    ],
  );
  return rows;
}
