import { PARKED } from '../../db/parked';
import type { Db } from '../../db/pool';
import type { AttemptStatus } from '../../event/event-status';

export interface HandlerAttempt {
  at: string;
  attemptNumber: number;
  dispatchNo: number;
  generation: number;
  status: AttemptStatus;
  reasonCode: string;
  exhausted: boolean;
  errorMessage: string | null;
  durationMs: number;
}

/** Lists at most `limit` attempts of the handlers, the newest first. Successes and failures have separate indexes. */
export async function listHandlerAttempts(db: Db, eventId: string, limit: number): Promise<HandlerAttempt[]> {
  const columns = `created_at as at, attempt_number as "attemptNumber", dispatch_no as "dispatchNo", generation, status,
                   reason_code as "reasonCode", exhausted, error_message as "errorMessage", duration_ms as "durationMs"`;
  const { rows } = await db.query<HandlerAttempt>(
    `select ${columns} from processing_attempts where event_id = $1 and status = 'SUCCESS'
     union all
     select ${columns} from processing_attempts where event_id = $1 and status <> 'SUCCESS'
     order by at desc, "attemptNumber" desc limit $2`,
    [eventId, limit],
  );
  return rows;
}

/** A retry that waits until it is due. */
export interface ScheduledRetry {
  /** When it was scheduled. */
  at: string;
  /** Null: once it is its turn. */
  dueAt: string | null;
  dispatchNo: number;
  /** Attempts so far. */
  attempts: number;
  lastError: string | null;
}

export async function findScheduledRetry(db: Db, eventId: string): Promise<ScheduledRetry | undefined> {
  const { rows } = await db.query<ScheduledRetry>(
    `select s.updated_at as at, nullif(r.due_at, ${PARKED}) as "dueAt", r.dispatch_no as "dispatchNo", s.attempts, s.last_error as "lastError"
       from retry_schedule r join event_state s on s.event_id = r.event_id where r.event_id = $1`,
    [eventId],
  );
  return rows[0];
}

/** The newest time that the event became a dead letter of its handlers. */
export interface DeadLetterOfEvent {
  at: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  exhausted: boolean;
  resolvedAt: string | null;
  resolution: 'RETRIED' | 'REPLAYED' | 'DISCARDED' | null;
  note: string | null;
}

export async function findDeadLetter(db: Db, eventId: string): Promise<DeadLetterOfEvent | undefined> {
  const { rows } = await db.query<DeadLetterOfEvent>(
    `select last_failed_at as at, reason_code as "reasonCode", error_message as "errorMessage", attempts, exhausted,
            resolved_at as "resolvedAt", resolution, note
       from dead_letters where event_id = $1`,
    [eventId],
  );
  return rows[0];
}
