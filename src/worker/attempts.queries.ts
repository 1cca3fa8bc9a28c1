import type { Db } from '../db/pool';
import type { DeliveredEvent } from './handler';

/** The state row of an event that failed, was dispatched again or replayed; others have none. */
export interface EventState {
  eventId: string;
  status: 'DISPATCHED' | 'RETRYING' | 'COMPLETED' | 'DLQ' | 'DISCARDED';
  generation: number;
  dispatchNo: number;
  attempts: number;
}

export async function readStates(db: Db, eventIds: readonly string[]): Promise<Map<string, EventState>> {
  const { rows } = await db.query<EventState>({
    name: 'read-states',
    text: `select event_id as "eventId", status, generation, dispatch_no as "dispatchNo", attempts
             from event_state where event_id = any ($1::uuid[])`,
    values: [eventIds],
  });
  return new Map(rows.map((state) => [state.eventId, state]));
}

/**
 * I7: writes the success rows and returns the ids of the events that had none yet in this generation. Only for those
 * may effects follow, in the same transaction. Rows go in by id, so that two workers cannot deadlock.
 */
export async function recordSuccesses(
  db: Db,
  attempts: readonly { event: DeliveredEvent; attemptNumber: number; durationMs: number }[],
  worker: string,
): Promise<Set<string>> {
  const { rows } = await db.query<{ event_id: string }>({
    name: 'record-successes',
    text: `
      insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms, worker)
      select id, generation, dispatch_no, attempt_number, 'SUCCESS', 'PROCESSED', duration_ms, $6
        from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::integer[])
          as t (id, generation, dispatch_no, attempt_number, duration_ms)
       order by id
      on conflict (event_id, generation) where status = 'SUCCESS' do nothing
      returning event_id`,
    values: [
      attempts.map(({ event }) => event.id),
      attempts.map(({ event }) => event.generation),
      attempts.map(({ event }) => event.dispatchNo),
      attempts.map(({ attemptNumber }) => attemptNumber),
      attempts.map(({ durationMs }) => durationMs),
      worker,
    ],
  });
  return new Set(rows.map((row) => row.event_id));
}

export async function completeStates(db: Db, eventIds: readonly string[]): Promise<void> {
  await db.query({
    name: 'complete-states',
    text: `update event_state set status = 'COMPLETED', last_error = null, updated_at = now()
            where event_id = any ($1::uuid[])`,
    values: [eventIds],
  });
}

export interface FailedAttempt {
  event: DeliveredEvent;
  attemptNumber: number;
  status: 'RETRY' | 'DLQ';
  reasonCode: string;
  errorMessage: string;
  durationMs: number;
  worker: string;
}

/**
 * Records a failed attempt and raises the event to its next dispatch. False, with nothing written, when a newer
 * dispatch is already there (I11): then this delivery was stale.
 */
export async function recordFailure(db: Db, failed: FailedAttempt): Promise<boolean> {
  const { event } = failed;
  const { rowCount } = await db.query({
    name: 'record-failure',
    text: `
      with raised as (
        insert into event_state as s (event_id, status, generation, dispatch_no, attempts, last_error)
        select $1::uuid, case when $5::text = 'RETRY' then 'RETRYING' else 'DLQ' end, $2::integer, $3::integer + 1,
               $4::integer, $7::text
         where not exists (select from processing_attempts
                            where event_id = $1 and generation = $2 and status = 'SUCCESS')
        on conflict (event_id) do update
              set status = excluded.status, dispatch_no = excluded.dispatch_no, attempts = excluded.attempts,
                  last_error = excluded.last_error, updated_at = now()
            where s.dispatch_no = $3 and s.status = 'DISPATCHED'
        returning event_id
      )
      insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code,
                                       error_message, duration_ms, worker)
      select event_id, $2, $3, $4, $5, $6, $7, $8, $9 from raised`,
    values: [
      event.id,
      event.generation,
      event.dispatchNo,
      failed.attemptNumber,
      failed.status,
      failed.reasonCode,
      failed.errorMessage,
      failed.durationMs,
      failed.worker,
    ],
  });
  return rowCount === 1;
}

export async function scheduleRetry(db: Db, event: DeliveredEvent, delayMs: number): Promise<void> {
  await db.query(
    `insert into retry_schedule (event_id, dispatch_no, generation, due_at)
     values ($1, $2, $3, now() + make_interval(secs => $4))`,
    [event.id, event.dispatchNo + 1, event.generation, delayMs / 1000],
  );
}

export async function recordDeadLetter(db: Db, failed: FailedAttempt): Promise<void> {
  const { event } = failed;
  await db.query(
    `insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, first_failed_at, last_failed_at)
     values ($1, $2, $3, $4, $5, $6,
             (select min(created_at) from processing_attempts where event_id = $1 and status <> 'SUCCESS'), now())
     on conflict (event_id) do update
           set reason_code = excluded.reason_code, error_message = excluded.error_message,
               attempts = excluded.attempts, last_failed_at = excluded.last_failed_at`,
    [event.id, event.tenantId, event.type, failed.reasonCode, failed.errorMessage, failed.attemptNumber],
  );
}
