import { HISTORY, knownHistory } from '../db/history/history.queries';
import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';

/** The state of an event that has failed, was dispatched again or was replayed. Other events have no row. */
export interface EventState {
  eventId: string;
  status: 'DISPATCHED' | 'RETRYING' | 'COMPLETED' | 'DLQ' | 'DISCARDED';
  generation: number;
  dispatchNo: number;
  attempts: number;
}

/** For string_to_array with '' as null. The text is empty if no event is revised, which is almost always. */
const revisionsOf = (events: readonly DispatchedEvent[]): string =>
  events.some(({ revision }) => revision !== undefined) ? events.map(({ revision = '' }) => revision).join(',') : '';

/**
 * Whether the dispatch `t` is the one that the state `s` waits for, with the newest revision. The build before, if it is
 * still the leader, dispatches a revised event as it was sent; the reconciler then dispatches it again.
 */
const IS_CURRENT =
  's.event_id is null or s.dispatch_no <= t.dispatch_no ' +
  `and s.status = 'DISPATCHED' and s.revision is not distinct from t.revision`;

/**
 * Returns the states by event id, and the history of the database in which they were read: one statement, since each
 * batch of a worker needs both.
 * @throws an error with SQLSTATE 57P03 while a restore has not filled the history yet
 */
export async function readStates(
  db: Db,
  events: readonly DispatchedEvent[],
): Promise<{ states: Map<string, EventState>; history: string }> {
  const { rows } = await db.query<{ history: string | null } & (EventState | { eventId: null })>({
    name: 'read-states',
    text: `select now.history, s.event_id as "eventId", s.status, s.generation, s.dispatch_no as "dispatchNo", s.attempts
             from (select ${HISTORY} as history) now
             left join lateral (
               select * from event_state where event_id = any (string_to_array($1, ',')::uuid[]) offset 0) s on true`,
    values: [events.map(({ id }) => id).join(',')],
  });
  const states = rows.flatMap((row): [string, EventState][] => (row.eventId === null ? [] : [[row.eventId, row]]));
  return { states: new Map(states), history: knownHistory(rows[0]?.history) };
}

/**
 * Opens an attempt for each event by inserting it as a success. Returns the attempt numbers by event id. Opens none for
 * a stale dispatch (I11) or for an event that has succeeded in this generation (I7).
 *
 * If two workers hold the same event, the unique index makes the second wait for the commit of the first. This must
 * therefore be the first write about an event in a transaction. failAttempts rewrites failed attempts before the
 * commit. Rows are inserted in id order, so that two workers cannot deadlock. Values are passed as joined text, which
 * saves pg escaping each element.
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
        from unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::integer[], string_to_array($3, ',')::integer[],
                    string_to_array($6, ',', '')::integer[])
             as t (id, generation, dispatch_no, revision)
        left join lateral (select * from event_state where event_id = t.id offset 0) s on true
       where ${IS_CURRENT}
       order by t.id
      on conflict (event_id, generation) where status = 'SUCCESS' do nothing
      returning event_id as id, attempt_number as "attemptNumber"`,
    values: [
      events.map(({ id }) => id).join(','),
      events.map(({ generation }) => generation).join(','),
      events.map(({ dispatchNo }) => dispatchNo).join(','),
      Math.round(durationMs),
      worker,
      revisionsOf(events),
    ],
  });
  return new Map(rows.map(({ id, attemptNumber }) => [id, attemptNumber]));
}

/** The progress of an event before the external handlers of one dispatch run. */
export interface EventProgress {
  /** False for a stale dispatch (I11) and for an event that has succeeded. No handler may run then. */
  current: boolean;
  attempts: number;
  /** The handlers that have finished, and the partial effects, in this generation. */
  done: string[];
  /** See crash-counts.queries.ts; null if no start of the event is counted. */
  starts: number | null;
}

/**
 * Returns the progress by dispatch, not by event id: a batch may contain two dispatches of one event, of which only one
 * is current. Each event is looked up by key. A join planned while these tables were small would scan them after an
 * outage has filled them (half a core at 1,000 postponed events/s).
 */
export async function readProgress(
  db: Db,
  events: readonly DispatchedEvent[],
): Promise<Map<DispatchedEvent, EventProgress>> {
  const { rows } = await db.query<EventProgress & { position: number }>({
    name: 'read-progress',
    text: `
      select t.position::integer as position, coalesce(s.attempts, 0) as attempts, c.starts,
             (${IS_CURRENT}) and succeeded.yes is null as current,
             array(select h.handler from handler_effects h
                    where h.event_id = t.id and h.generation = t.generation) as done
        from unnest($1::uuid[], $2::integer[], $3::integer[], string_to_array($4, ',', '')::integer[])
             with ordinality as t (id, generation, dispatch_no, revision, position)
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
      revisionsOf(events),
    ],
  });
  return new Map(rows.map(({ position, ...progress }) => [events[position - 1] as DispatchedEvent, progress]));
}

/** Reads the names of finished handlers and partial effects of earlier attempts in this generation, by event id. */
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
