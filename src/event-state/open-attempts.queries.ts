import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';

/** The row of an event that failed, was dispatched again or replayed. Other events have none. */
export interface EventState {
  eventId: string;
  status: 'DISPATCHED' | 'RETRYING' | 'COMPLETED' | 'DLQ' | 'DISCARDED';
  generation: number;
  dispatchNo: number;
  attempts: number;
}

export async function readStates(db: Db, events: readonly DispatchedEvent[]): Promise<Map<string, EventState>> {
  const { rows } = await db.query<EventState>({
    name: 'read-states',
    text: `select event_id as "eventId", status, generation, dispatch_no as "dispatchNo", attempts
             from event_state where event_id = any (string_to_array($1, ',')::uuid[])`,
    values: [events.map(({ id }) => id).join(',')],
  });
  return new Map(rows.map((state) => [state.eventId, state]));
}

/**
 * Opens an attempt for each event by writing it as a success. Returns the attempt numbers by event id. No attempt is
 * opened for a stale dispatch (I11) or an event that has succeeded in this generation (I7). The unique index separates
 * two workers that hold the same event: the second waits for the first one's commit. So nothing else may be written about
 * an event before this; attempts that fail are rewritten (failAttempts) before the commit. Rows are inserted in the order
 * of their ids, so that two workers cannot deadlock. Values are joined text, which saves pg escaping each element.
 */
export async function openAttempts(
  db: Db,
  events: readonly DispatchedEvent[],
  { durationMs, worker }: { durationMs: number; worker: string },
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ id: string; attemptNumber: number }>({
    name: 'open-attempts',
    text: `
      insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms, worker)
      select t.id, t.generation, t.dispatch_no, coalesce(s.attempts, 0) + 1, 'SUCCESS', 'PROCESSED', $4, $5
        from unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::integer[], string_to_array($3, ',')::integer[])
             as t (id, generation, dispatch_no)
        left join lateral (select * from event_state where event_id = t.id offset 0) s on true
       where s.event_id is null or s.dispatch_no <= t.dispatch_no and s.status = 'DISPATCHED'
       order by t.id
      on conflict (event_id, generation) where status = 'SUCCESS' do nothing
      returning event_id as id, attempt_number as "attemptNumber"`,
    values: [
      events.map(({ id }) => id).join(','),
      events.map(({ generation }) => generation).join(','),
      events.map(({ dispatchNo }) => dispatchNo).join(','),
      durationMs,
      worker,
    ],
  });
  return new Map(rows.map(({ id, attemptNumber }) => [id, attemptNumber]));
}

/** How far the event of one dispatch has come, before its external handlers run. */
export interface EventProgress {
  /** False for a stale dispatch (I11) and for an event that has succeeded: no handler may run. */
  current: boolean;
  attempts: number;
  /** Handlers and partial effects that are done in this generation. */
  done: string[];
  /** See crash-counts.queries.ts; null when no start of the event is counted. */
  starts: number | null;
}

/**
 * By dispatch, not by event id: a batch may hold two dispatches of one event, of which only one is current. Each event is
 * looked up by key: a plan made while these tables were small would scan them when an outage has filled them (half a core
 * at 1,000 postponed events a second).
 */
export async function readProgress(
  db: Db,
  events: readonly DispatchedEvent[],
): Promise<Map<DispatchedEvent, EventProgress>> {
  const { rows } = await db.query<EventProgress & { position: number }>({
    name: 'read-progress',
    text: `
      select t.position::integer as position, coalesce(s.attempts, 0) as attempts, c.starts,
             (s.event_id is null or s.dispatch_no <= t.dispatch_no and s.status = 'DISPATCHED')
               and succeeded.yes is null as current,
             array(select h.handler from handler_effects h
                    where h.event_id = t.id and h.generation = t.generation) as done
        from unnest($1::uuid[], $2::integer[], $3::integer[]) with ordinality as t (id, generation, dispatch_no, position)
        left join lateral (select * from event_state where event_id = t.id offset 0) s on true
        left join lateral (select starts from crash_trials where event_id = t.id offset 0) c on true
        left join lateral (
          select true as yes from processing_attempts a
           where a.event_id = t.id and a.generation = t.generation and a.status = 'SUCCESS' limit 1
        ) succeeded on true`,
    values: [
      events.map(({ id }) => id),
      events.map(({ generation }) => generation),
      events.map(({ dispatchNo }) => dispatchNo),
    ],
  });
  return new Map(rows.map(({ position, ...progress }) => [events[position - 1] as DispatchedEvent, progress]));
}

/** Names of the handlers and partial effects that earlier attempts of this generation have done, by event id. */
export async function readEffects(db: Db, events: readonly DispatchedEvent[]): Promise<Map<string, Set<string>>> {
  const { rows } = await db.query<{ id: string; done: string[] }>({
    name: 'read-effects',
    text: `
      select h.event_id as id, array_agg(h.handler) as done
        from handler_effects h
        join unnest($1::uuid[], $2::integer[]) as t (id, generation) on h.event_id = t.id and h.generation = t.generation
       group by h.event_id`,
    values: [events.map(({ id }) => id), events.map(({ generation }) => generation)],
  });
  return new Map(rows.map(({ id, done }) => [id, new Set(done)]));
}
