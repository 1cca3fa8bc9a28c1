import { isSuperseded } from '../../delivery-state/delivery-keys';
import { CRITERIA_TYPES, criteriaValues, groupId, hasReason, hasStatusClass } from './event-conditions.queries';
import type { EventCriteria } from './event-criteria';

/** The values of $1 to $17 in statements that also select by what became of an event: criteriaValues, and the cause. */
export function allValues(criteria: EventCriteria): unknown[] {
  const { destinationId, statusClass, group } = criteria;
  return [...criteriaValues(criteria), destinationId, statusClass, group];
}

/** Declares the types of all criteria in statements that do not use all of them. */
export const ALL_TYPES = `${CRITERIA_TYPES}, $15::uuid, $16::text, $17::text`;

/** Compares the newest deliveries in `table` with the cause that the filter names. */
export const hasCause = (table: string, group = groupOfDelivery(table)): string => `
       ($15::uuid is null or ${table}.destination_id = $15)
       and ${hasReason(`${table}.last_reason_code`, `${table}.exhausted`, '$8')}
       and ${hasStatusClass(`${table}.last_status_code`, '$16')}
       and ($17::text is null or ${group} = $17)`;

/** The same for deliveries that have failed, or were discarded then. Their cause is stored, and has an index. */
export const hasStoredCause = (table: string): string => hasCause(table, `${table}.cause`);

export const groupOfDelivery = (table: string): string =>
  groupId(`${table}.last_reason_code`, `${table}.destination_id`, `failure_group(${table}.last_error)`);
/** There is an index of it. */
export const groupOfLetter = (table: string): string =>
  groupId(`${table}.reason_code`, 'null::uuid', `${table}.message_group`);

/** Handlers have neither a destination nor an HTTP status. */
const HANDLERS_MAY_MATCH = `$15::uuid is null and ($16::text is null or $16 = 'none')`;

/** Compares the unresolved dead letter in `table` with the cause that the filter names. */
export const hasCauseOfLetter = (table: string): string => `${HANDLERS_MAY_MATCH}
       and ${hasReason(`${table}.reason_code`, `${table}.exhausted`, '$8')}
       and ($17::text is null or ${groupOfLetter(table)} = $17)`;

const HANDLERS_HAVE_CAUSE = `${HANDLERS_MAY_MATCH}
    and exists (
      select from (select a.reason_code, a.exhausted from processing_attempts a
                    where a.event_id = e.id and a.status <> 'SUCCESS' order by a.created_at desc limit 1) a
       where ${hasReason('a.reason_code', 'a.exhausted', '$8')})
    and ($17::text is null or exists (
      select from dead_letters l where l.event_id = e.id and l.resolved_at is null and ${groupOfLetter('l')} = $17))`;

/**
 * Whether the handlers of the event `e`, or one of its newest deliveries, have the cause that the filter names. Once the
 * handlers have succeeded (`done`), their earlier failures are not the cause of a dead letter, a retry or a discard. Asks
 * for the status of the filter, not for that of the event, which costs more to read.
 */
export const eventHasCause = (done: string): string => `
    ($8::text is null and $15::uuid is null and $16::text is null and $17::text is null
     or ($2::text is null or $2 not in ('RETRYING', 'DLQ', 'DISCARDED') or not ${done}) and ${HANDLERS_HAVE_CAUSE}
     or exists (
       select from deliveries d where d.event_id = e.id and not ${isSuperseded('d')}
          and ($2::text is distinct from 'DLQ' or d.status = 'FAILED') and ${hasCause('d')}))`;
