import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';

/** The state row of an event that failed, was dispatched again or replayed; others have none. */
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
 * Opens the attempt of each event by writing it as a success, and returns the attempt numbers of those that could be
 * opened. Left out are stale deliveries (I11) and events that have succeeded in this generation (I7). The unique index
 * makes this the fence between two workers that hold the same event: the second waits for the first one's commit.
 * Nothing else of an event may be written before this, and attempts that fail are rewritten (failAttempts) before the
 * commit. Rows go in by id, so that two workers cannot deadlock. Values go as joined text, which saves pg the escaping
 * of each element.
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

export async function completeStates(db: Db, eventIds: readonly string[]): Promise<void> {
  await db.query({
    name: 'complete-states',
    text: `update event_state set status = 'COMPLETED', last_error = null, updated_at = now()
            where event_id = any ($1::uuid[])`,
    values: [eventIds],
  });
}

/** A later dispatch of what an earlier one has completed (reconciled, republished): there is nothing left to do. */
export async function completeDispatchesOfSucceeded(db: Db, events: readonly DispatchedEvent[]): Promise<void> {
  await db.query({
    name: 'complete-dispatches-of-succeeded',
    text: `
      update event_state s set status = 'COMPLETED', last_error = null, updated_at = now()
        from unnest($1::uuid[], $2::integer[]) as t (id, dispatch_no)
       where s.event_id = t.id and s.dispatch_no = t.dispatch_no and s.status = 'DISPATCHED'
         and exists (select from processing_attempts a
                      where a.event_id = t.id and a.generation = s.generation and a.status = 'SUCCESS')`,
    values: [events.map(({ id }) => id), events.map(({ dispatchNo }) => dispatchNo)],
  });
}

/** Where an event stands, seen from one of its deliveries, before its external handlers run. */
export interface Standing {
  /** False for a stale delivery (I11) and for what has succeeded: no handler may run. */
  current: boolean;
  attempts: number;
  /** Handlers and partial effects that are done in this generation. */
  done: string[];
  /** See crash-trials.queries.ts; null when the event was never run on suspicion. */
  starts: number | null;
}

/**
 * By delivery and not by event id: a batch may hold two dispatches of one event, of which only one is current. Looked up
 * by key for one event at a time: a plan made while these tables were small would read them whole when an outage fills
 * them (half a core at 1000 postponed events a second).
 */
export async function readStandings(
  db: Db,
  events: readonly DispatchedEvent[],
): Promise<Map<DispatchedEvent, Standing>> {
  const { rows } = await db.query<Standing & { position: number }>({
    name: 'read-standings',
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
  return new Map(rows.map(({ position, ...standing }) => [events[position - 1] as DispatchedEvent, standing]));
}
