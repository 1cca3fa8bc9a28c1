import type { Db } from '../../db/pool';
import type { AttemptStatus } from '../../event/event-status';

export interface EventStanding {
  eventId: string;
  nextAttemptAt: string | null;
  lastError: string | null;
  publishedAt: string | null;
  completedAt: string | null;
}

/**
 * Reads the status of these events, keyed by event id. Events that no longer exist are missing. The statement has a name,
 * because planning the view takes longer than reading a page of events.
 */
export async function readEventStatuses(db: Db, ids: readonly string[]): Promise<Map<string, EventStanding>> {
  const { rows } = await db.query<EventStanding>({
    name: 'read-event-statuses',
    text: `select v.event_id as "eventId", v.next_attempt_at as "nextAttemptAt", v.last_error as "lastError",
            v.published_at as "publishedAt", v.completed_at as "completedAt"
       from unnest($1::uuid[]) as wanted (id)
       cross join lateral (select * from event_status v where v.event_id = wanted.id limit 1) v`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.eventId, row]));
}

export interface AttemptOfEvent {
  eventId: string;
  attemptNumber: number;
  dispatch: number;
  generation: number;
  status: AttemptStatus;
  reasonCode: string;
  exhausted: boolean;
  errorMessage: string | null;
  durationMs: number;
  createdAt: string;
}

/** Lists all attempts of these events, oldest first. Successes and failures have separate indexes, hence the union. */
export async function listAttemptsOf(db: Db, ids: readonly string[]): Promise<AttemptOfEvent[]> {
  const columns = `event_id as "eventId", attempt_number as "attemptNumber", dispatch_no as dispatch, generation, status,
                   reason_code as "reasonCode", exhausted, error_message as "errorMessage", duration_ms as "durationMs",
                   created_at as "createdAt"`;
  const { rows } = await db.query<AttemptOfEvent>(
    `select ${columns} from processing_attempts where event_id = any ($1::uuid[]) and status = 'SUCCESS'
     union all
     select ${columns} from processing_attempts where event_id = any ($1::uuid[]) and status <> 'SUCCESS'
     order by "createdAt", "attemptNumber"`,
    [ids],
  );
  return rows;
}
