import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import type { ReasonCode } from '../event/event-status';
import { appendEntries } from './dispatch-again.queries';

/** What happens after an attempt that did not complete the event. */
export type RetryDecision =
  | { kind: 'retry' | 'postpone'; reasonCode: ReasonCode; message: string; delayMs: number }
  | { kind: 'dead-letter'; reasonCode: ReasonCode; message: string; exhausted: boolean };

/** An event that was not completed, with its open attempt (openAttempts). */
export interface Failure {
  event: DispatchedEvent;
  attemptNumber: number;
  decision: RetryDecision;
  durationMs: number;
  /** The handlers that have finished, and the partial effects. */
  done: readonly string[];
}

const isAttempt = ({ decision }: Failure): boolean => decision.kind !== 'postpone';
const messageOf = ({ decision }: Failure): string => decision.message;
const isExhausted = ({ decision }: Failure): boolean => decision.kind === 'dead-letter' && decision.exhausted;
const statusAfter = ({ decision }: Failure): string => (decision.kind === 'dead-letter' ? 'DLQ' : 'RETRYING');

/**
 * Raises failed events to their next dispatch if the failed dispatch is still the newest (I11). Returns the number of
 * raised events. A postponement is not an attempt and leaves the number of attempts unchanged.
 *
 * Also completes `completed`, events of the same transaction that have a state (see completeStates): one statement
 * locks all rows of the transaction in id order.
 */
export async function raiseStates(
  db: Db,
  failures: readonly Failure[],
  completed: readonly DispatchedEvent[],
): Promise<number> {
  const none = completed.map(() => 0);
  const { rows } = await db.query<{ status: string }>({
    name: 'raise-states',
    text: `
      insert into event_state as s (event_id, status, generation, dispatch_no, attempts, last_error)
      select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::text[]) as t (id)
       order by id
      on conflict (event_id) do update
            set status = excluded.status, last_error = excluded.last_error, updated_at = now(),
                dispatch_no = case excluded.status when 'COMPLETED' then s.dispatch_no else excluded.dispatch_no end,
                attempts = case excluded.status when 'COMPLETED' then s.attempts else excluded.attempts end
          where excluded.status = 'COMPLETED' or s.dispatch_no = excluded.dispatch_no - 1 and s.status = 'DISPATCHED'
      returning status`,
    values: [
      [...failures.map(({ event }) => event.id), ...completed.map(({ id }) => id)],
      [...failures.map(statusAfter), ...completed.map(() => 'COMPLETED')],
      [...failures.map(({ event }) => event.generation), ...completed.map(({ generation }) => generation)],
      [...failures.map(({ event }) => event.dispatchNo + 1), ...completed.map(({ dispatchNo }) => dispatchNo)],
      [...failures.map((failure) => failure.attemptNumber - (isAttempt(failure) ? 0 : 1)), ...none],
      [...failures.map(messageOf), ...completed.map(() => null)],
    ],
  });
  return rows.filter(({ status }) => status !== 'COMPLETED').length;
}

/** Rewrites open attempts as failures in the transaction that opened them, so no committed attempt changes (I6). */
export async function failAttempts(db: Db, failures: readonly Failure[]): Promise<void> {
  const failed = failures.filter(isAttempt);
  if (failed.length === 0) return;
  await db.query({
    name: 'fail-attempts',
    text: `
      update processing_attempts a
         set status = t.status, reason_code = t.reason_code, error_message = t.message, duration_ms = t.duration_ms,
             exhausted = t.exhausted
        from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::boolean[])
             as t (id, generation, status, reason_code, message, duration_ms, exhausted)
       where a.event_id = any ($1::uuid[]) and a.event_id = t.id and a.generation = t.generation and a.status = 'SUCCESS'`,
    values: [
      failed.map(({ event }) => event.id),
      failed.map(({ event }) => event.generation),
      failed.map(({ decision }) => (decision.kind === 'retry' ? 'RETRY' : 'DLQ')),
      failed.map(({ decision }) => decision.reasonCode),
      failed.map(messageOf),
      failed.map(({ durationMs }) => Math.round(durationMs)),
      failed.map(isExhausted),
    ],
  });
}

/** Deletes the open attempts of postponed events in the transaction that opened them. */
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

/** Runs in the transaction of the attempt, so that a crash cannot separate the two (I13). */
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

/** @param copied whether outbox entries are inserted with them, which publish references to `events.dlq` (I8) */
export async function recordDeadLetters(db: Db, failures: readonly Failure[], copied: boolean): Promise<void> {
  const dead = failures.filter(({ decision }) => decision.kind === 'dead-letter');
  if (dead.length === 0) return;
  await db.query({
    name: copied ? 'record-copied-dead-letters' : 'record-dead-letters',
    text: `
      with dead as materialized (
        select t.*, nextval('outbox_id_seq') as outbox_id,
               (select s.revision from event_state s where s.event_id = t.event_id) as revision
          from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[],
                      $9::boolean[])
               as t (event_id, dispatch_no, generation, tenant_id, type, reason_code, message, attempts, exhausted)
      )${copied ? `, queued as (${appendEntries('dlq', 'dead')})` : ''}
      insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, exhausted, first_failed_at,
                                last_failed_at)
      select event_id, tenant_id, type, reason_code, message, attempts, exhausted,
             (select min(a.created_at) from processing_attempts a where a.event_id = dead.event_id and a.status <> 'SUCCESS'),
             now()
        from dead order by event_id
      on conflict (event_id) do update
            set reason_code = excluded.reason_code, error_message = excluded.error_message,
                attempts = excluded.attempts, exhausted = excluded.exhausted,
                last_failed_at = excluded.last_failed_at`,
    values: [
      dead.map(({ event }) => event.id),
      dead.map(({ event }) => event.dispatchNo + 1),
      dead.map(({ event }) => event.generation),
      dead.map(({ event }) => event.tenantId),
      dead.map(({ event }) => event.type),
      dead.map(({ decision }) => decision.reasonCode),
      dead.map(messageOf),
      dead.map(({ attemptNumber }) => attemptNumber),
      dead.map(isExhausted),
    ],
  });
}

const MOST_NAME_LENGTH = 200;

/** Records finished handlers and partial effects of unfinished events, so that the next attempt skips them. */
export async function recordEffects(db: Db, failures: readonly Failure[]): Promise<void> {
  const effects = failures.flatMap(({ event, done }) => done.map((name) => ({ event, name })));
  if (effects.length === 0) return;
  await db.query({
    name: 'record-effects',
    text: `insert into handler_effects (event_id, generation, handler)
           select * from unnest($1::uuid[], $2::integer[], $3::text[]) as t (event_id, generation, handler)
            order by event_id, generation, handler
           on conflict (event_id, generation, handler) do nothing`,
    values: [
      effects.map(({ event }) => event.id),
      effects.map(({ event }) => event.generation),
      effects.map(({ name }) => name.slice(0, MOST_NAME_LENGTH)),
    ],
  });
}
