import type { Db } from '../db/pool';

/** Why an event became a dead letter. */
export interface DeadLetterReason {
  reasonCode: string;
  exhausted: boolean;
  /** RFC 3339, UTC, milliseconds. */
  failedAt: string;
}

/** Returns the newest reasons by event id. An event that is no dead letter has none. */
export async function readDeadLetterReasons(
  db: Db,
  eventIds: readonly string[],
): Promise<Map<string, DeadLetterReason>> {
  const { rows } = await db.query<DeadLetterReason & { eventId: string }>({
    name: 'read-dead-letter-reasons',
    text: `select event_id as "eventId", reason_code as "reasonCode", exhausted, last_failed_at as "failedAt"
             from dead_letters where event_id = any ($1::uuid[])`,
    values: [eventIds],
  });
  return new Map(rows.map(({ eventId, ...reason }) => [eventId, reason]));
}
