import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import type { RetryDecision } from './retry-decision';

/** What became of an event that is not completed, and has an open attempt (openAttempts). */
export interface Failure {
  event: DispatchedEvent;
  attemptNumber: number;
  decision: RetryDecision;
  /** As the audit keeps it. */
  message: string;
  durationMs: number;
  /** Handlers and partial effects that are done all the same. */
  done: readonly string[];
}

const isAttempt = ({ decision }: Failure): boolean => decision.kind !== 'postpone';

/**
 * Raises the events to their next dispatch. Returns the ids of those whose newest dispatch was still the delivered one
 * (I11). A postponement is no attempt, so it leaves their number as it was.
 */
export async function raiseStates(db: Db, failures: readonly Failure[]): Promise<Set<string>> {
  const { rows } = await db.query<{ event_id: string }>({
    name: 'raise-states',
    text: `
      insert into event_state as s (event_id, status, generation, dispatch_no, attempts, last_error)
      select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::text[]) as t (id)
       order by id
      on conflict (event_id) do update
            set status = excluded.status, dispatch_no = excluded.dispatch_no, attempts = excluded.attempts,
                last_error = excluded.last_error, updated_at = now()
          where s.dispatch_no = excluded.dispatch_no - 1 and s.status = 'DISPATCHED'
      returning event_id`,
    values: [
      failures.map(({ event }) => event.id),
      failures.map(({ decision }) => (decision.kind === 'dead-letter' ? 'DLQ' : 'RETRYING')),
      failures.map(({ event }) => event.generation),
      failures.map(({ event }) => event.dispatchNo + 1),
      failures.map((failure) => failure.attemptNumber - (isAttempt(failure) ? 0 : 1)),
      failures.map(({ message }) => message),
    ],
  });
  return new Set(rows.map((row) => row.event_id));
}

/** Turns open attempts into failed ones, in the transaction that opened them: nobody ever saw them as successes (I6). */
export async function failAttempts(db: Db, failures: readonly Failure[]): Promise<void> {
  const failed = failures.filter(isAttempt);
  if (failed.length === 0) return;
  await db.query({
    name: 'fail-attempts',
    text: `
      update processing_attempts a
         set status = t.status, reason_code = t.reason_code, error_message = t.message, duration_ms = t.duration_ms
        from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::integer[])
             as t (id, generation, status, reason_code, message, duration_ms)
       where a.event_id = any ($1::uuid[]) and a.event_id = t.id and a.generation = t.generation and a.status = 'SUCCESS'`,
    values: [
      failed.map(({ event }) => event.id),
      failed.map(({ event }) => event.generation),
      failed.map(({ decision }) => (decision.kind === 'retry' ? 'RETRY' : 'DLQ')),
      failed.map(({ decision }) => decision.reasonCode),
      failed.map(({ message }) => message),
      failed.map(({ durationMs }) => Math.round(durationMs)),
    ],
  });
}

/** A postponed event had no attempt: what was opened for it is taken back, in the same transaction. */
export async function withdrawAttempts(db: Db, failures: readonly Failure[]): Promise<void> {
  const postponed = failures.filter((failure) => !isAttempt(failure));
  if (postponed.length === 0) return;
  await db.query({
    name: 'withdraw-attempts',
    text: `delete from processing_attempts a using unnest($1::uuid[], $2::integer[]) as t (id, generation)
            where a.event_id = any ($1::uuid[]) and a.event_id = t.id and a.generation = t.generation
              and a.status = 'SUCCESS'`,
    values: [postponed.map(({ event }) => event.id), postponed.map(({ event }) => event.generation)],
  });
}

/** The wait is part of the attempt's own transaction, so that a crash loses neither (I13). */
export async function scheduleRetries(db: Db, failures: readonly Failure[]): Promise<void> {
  const waits = failures.flatMap(({ event, decision }) =>
    decision.kind === 'dead-letter' ? [] : [{ event, delayMs: decision.delayMs }],
  );
  if (waits.length === 0) return;
  await db.query({
    name: 'schedule-retries',
    text: `
      insert into retry_schedule (event_id, dispatch_no, generation, due_at)
      select id, dispatch_no, generation, now() + make_interval(secs => delay_ms / 1000.0)
        from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[]) as t (id, dispatch_no, generation, delay_ms)`,
    values: [
      waits.map(({ event }) => event.id),
      waits.map(({ event }) => event.dispatchNo + 1),
      waits.map(({ event }) => event.generation),
      waits.map(({ delayMs }) => Math.round(delayMs)),
    ],
  });
}

export async function recordDeadLetters(db: Db, failures: readonly Failure[]): Promise<void> {
  await db.query({
    name: 'record-dead-letters',
    text: `
      insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, first_failed_at, last_failed_at)
      select id, tenant_id, type, reason_code, message, attempts,
             (select min(created_at) from processing_attempts where event_id = id and status <> 'SUCCESS'), now()
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[])
             as t (id, tenant_id, type, reason_code, message, attempts)
      on conflict (event_id) do update
            set reason_code = excluded.reason_code, error_message = excluded.error_message,
                attempts = excluded.attempts, last_failed_at = excluded.last_failed_at`,
    values: [
      failures.map(({ event }) => event.id),
      failures.map(({ event }) => event.tenantId),
      failures.map(({ event }) => event.type),
      failures.map(({ decision }) => decision.reasonCode),
      failures.map(({ message }) => message),
      failures.map(({ attemptNumber }) => attemptNumber),
    ],
  });
}
