import type { Db } from '../../db/pool';
import type { DeliveryKey } from '../../delivery-state/delivery';
import { isSuperseded } from '../../delivery-state/delivery-keys';
import { ALL_TYPES, allValues, hasCause } from '../events/cause-conditions.queries';
import type { EventCriteria } from '../events/event-criteria';

export interface DeadLetter {
  id: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  exhausted: boolean;
  firstFailedAt: string;
  lastFailedAt: string;
  destinationIds: string[];
}

/**
 * Reads why these events are in the DLQ, keyed by event id: their unresolved dead letter, or else the newest of their
 * failed deliveries.
 */
export async function readDeadLetters(db: Db, ids: readonly string[]): Promise<Map<string, DeadLetter>> {
  const newest = (column: string): string => `(array_agg(${column} order by d.failed_at desc))[1]`;
  const { rows } = await db.query<DeadLetter>(
    `with letters as (
       select event_id, reason_code, error_message, attempts, exhausted, first_failed_at, last_failed_at
         from dead_letters where event_id = any ($1::uuid[]) and resolved_at is null
     ), failures as (
       select d.event_id, ${newest('d.last_reason_code')}, ${newest('d.last_error')}, ${newest('d.attempts')},
              ${newest('d.exhausted')}, min(d.failed_at), max(d.failed_at),
              array_agg(d.destination_id::text order by d.destination_id)
         from deliveries d
        where d.event_id = any ($1::uuid[]) and d.status = 'FAILED' and not ${isSuperseded('d')}
          and d.event_id not in (select event_id from letters)
        group by d.event_id
     )
     select event_id as id, reason_code as "reasonCode", error_message as "errorMessage", attempts, exhausted,
            first_failed_at as "firstFailedAt", last_failed_at as "lastFailedAt", ids as "destinationIds"
       from (select *, '{}'::text[] from letters union all select * from failures) dead
            (event_id, reason_code, error_message, attempts, exhausted, first_failed_at, last_failed_at, ids)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * Lists the failed deliveries of those of these events whose handlers are done, as far as they have the cause that the
 * filter names. Leaves out events that wait in a replay.
 */
export async function listDeadDeliveries(
  db: Db,
  ids: readonly string[],
  criteria: EventCriteria,
): Promise<DeliveryKey[]> {
  const { rows } = await db.query<DeliveryKey>(
    `with criteria as (select ${ALL_TYPES})
     select d.event_id as "eventId", d.destination_id as "destinationId", d.generation
       from deliveries d
      where d.event_id = any ($18::uuid[]) and d.status = 'FAILED' and not ${isSuperseded('d')}
        and not exists (select from event_state s where s.event_id = d.event_id and s.status <> 'COMPLETED')
        and not exists (select from replay_events r where r.event_id = d.event_id and r.outcome = 'PENDING')
        and ${hasCause('d')}
      order by d.event_id, d.destination_id, d.generation`,
    [...allValues(criteria), ids],
  );
  return rows;
}
