import type { Db } from '../../db/pool';
import { ERASED_TEXT } from '../../event/erased-text';
import { KEYS_CHANGED } from '../order/ordered-types';

/** The note of a dead letter that an erasure resolves. */
const NOTE = 'erased';

/** Where an event stands that is about to be erased. */
export interface StandingEvent {
  eventId: string;
  generation: number;
  /** Its handlers have succeeded in this generation. */
  done: boolean;
}

/**
 * Finds out which events have succeeded, and opens an attempt of each of the others, numbered 0. It does so as
 * openAttempts does: a worker that is settling the event is waited for, and one that begins later waits for the end of
 * this transaction. This must be the first write about these events in the transaction.
 */
export async function holdAttempts(db: Db, ids: readonly string[]): Promise<StandingEvent[]> {
  const { rows } = await db.query<StandingEvent>(
    `with given as materialized (
       select t.id, coalesce(s.generation, 1) as generation, coalesce(s.dispatch_no, 1) as dispatch_no
         from unnest($1::uuid[]) as t (id)
         left join lateral (select * from event_state where event_id = t.id offset 0) s on true
     ), held as (
       insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                        worker)
       select id, generation, dispatch_no, 0, 'SUCCESS', 'PROCESSED', 0, 'erasure' from given order by id
       on conflict (event_id, generation) where status = 'SUCCESS' do nothing
       returning event_id
     )
     select given.id as "eventId", given.generation, held.event_id is null as done
       from given left join held on held.event_id = given.id order by given.id`,
    [ids],
  );
  return rows;
}

/** Deletes the attempts that holdAttempts opened in this transaction. */
export async function releaseAttempts(db: Db, ids: readonly string[]): Promise<void> {
  await db.query(
    `delete from processing_attempts where event_id = any ($1::uuid[]) and status = 'SUCCESS' and attempt_number = 0`,
    [ids],
  );
}

/**
 * Deletes the retries that wait. dispatchDueRetries locks these rows before those of event_state, so this comes before
 * settleErased.
 */
export async function deleteRetries(db: Db, ids: readonly string[]): Promise<void> {
  await db.query(
    `delete from retry_schedule where event_id = any (array(
       select event_id from retry_schedule where event_id = any ($1::uuid[]) order by event_id for update))`,
    [ids],
  );
}

/**
 * Settles events that are being erased. Those whose handlers have not succeeded are DISCARDED. The dispatch number is
 * raised, so that no message in the broker runs a handler, and no replay that assessed the event before dispatches it.
 * Returns the events that were settled; one that was reprocessed since holdAttempts is missing.
 *
 * @arrow [*] --> COMPLETED
 * @arrow [*] --> DISCARDED
 * @arrow DISPATCHED --> COMPLETED
 * @arrow DISPATCHED --> DISCARDED
 * @arrow RETRYING --> DISCARDED
 * @arrow DLQ --> DISCARDED
 * @arrow COMPLETED --> COMPLETED
 * @arrow DISCARDED --> DISCARDED
 */
export async function settleErased(
  db: Db,
  events: readonly StandingEvent[],
): Promise<{ eventId: string; discarded: boolean }[]> {
  const { rows } = await db.query<{ eventId: string; discarded: boolean }>(
    `with given as materialized (
       select t.*, not done and s.status is distinct from 'DISCARDED' as discarded
         from unnest($1::uuid[], $2::integer[], $3::boolean[]) as t (id, generation, done)
         left join event_state s on s.event_id = t.id
     ), raised as (
       insert into event_state as s (event_id, status, generation, dispatch_no, attempts)
       select id, case when done then 'COMPLETED' else 'DISCARDED' end, generation, 2, 0 from given order by id
       on conflict (event_id) do update
             set status = excluded.status, dispatch_no = s.dispatch_no + 1, updated_at = now(),
                 last_error = case when excluded.status = 'DISCARDED' and s.last_error is not null then '${ERASED_TEXT}' end
           where s.generation = excluded.generation
       returning s.event_id
     ), resolved as (
       update dead_letters set resolved_at = now(), resolution = 'DISCARDED', note = '${NOTE}'
        where event_id = any (array(select event_id from raised)) and resolved_at is null
     ), ${KEYS_CHANGED}
     select id as "eventId", discarded from given join raised on raised.event_id = given.id`,
    [events.map(({ eventId }) => eventId), events.map(({ generation }) => generation), events.map(({ done }) => done)],
  );
  return rows;
}

/** Counts the events that settleErased would discard. */
export async function countDiscarded(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::integer as n
       from unnest($1::uuid[]) as t (id) left join event_state s on s.event_id = t.id
      where s.status is distinct from 'DISCARDED'
        and not exists (select from processing_attempts a
                         where a.event_id = t.id and a.generation = coalesce(s.generation, 1) and a.status = 'SUCCESS')`,
    [ids],
  );
  return rows[0]?.n ?? 0;
}

const HAS_ATTEMPT_TEXT = `event_id = any ($1::uuid[]) and status <> 'SUCCESS' and error_message <> '${ERASED_TEXT}'`;
/** An operator's note may quote the event as well as the message does. */
const HAS_LETTER_TEXT = `event_id = any ($1::uuid[])
  and (error_message <> '${ERASED_TEXT}' or note not in ('${NOTE}', '${ERASED_TEXT}'))`;

/**
 * Replaces the messages of failures of these events, which settleErased has locked, and the notes of their dead letters.
 * Returns the number of attempts and dead letters that had any.
 */
export async function eraseFailureTexts(db: Db, ids: readonly string[]): Promise<number> {
  const [attempts, letters] = await Promise.all([
    db.query(`update processing_attempts set error_message = '${ERASED_TEXT}' where ${HAS_ATTEMPT_TEXT}`, [ids]),
    db.query(
      `update dead_letters
          set error_message = case when error_message is not null then '${ERASED_TEXT}' end,
              note = case when note is distinct from '${NOTE}' and note is not null then '${ERASED_TEXT}' else note end
        where ${HAS_LETTER_TEXT}`,
      [ids],
    ),
  ]);
  return (attempts.rowCount ?? 0) + (letters.rowCount ?? 0);
}

/** Counts what eraseFailureTexts would return. */
export async function countFailureTexts(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select ((select count(*) from processing_attempts where ${HAS_ATTEMPT_TEXT})
           + (select count(*) from dead_letters where ${HAS_LETTER_TEXT}))::integer as n`,
    [ids],
  );
  return rows[0]?.n ?? 0;
}
