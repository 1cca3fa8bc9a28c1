import type { Db } from '../../db/pool';
import { REASONS_OF_LANE_FULL } from '../../event/event-status';
import type { EventCriteria } from './event-criteria';

/** The values of $1 to $14 in every statement that selects events by a filter. */
export function criteriaValues(criteria: EventCriteria): unknown[] {
  const { tenantId, status, type, typePrefix, subject, partitionKey, source } = criteria;
  const { reasonCode, correlationId, eventIds, fromId, beforeId, tenantIds, sourceId } = criteria;
  const facts = [tenantId, status, type, typePrefix, subject, partitionKey, source];
  return [...facts, reasonCode, correlationId, eventIds, fromId, beforeId, tenantIds, sourceId];
}

/** Declares the types of the criteria in statements that do not use all of them. */
export const CRITERIA_TYPES = `$1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
  $10::text[], $11::uuid, $12::uuid, $13::text[], $14::uuid`;

/** Limits `table` to the tenants of an operator who is bound. Drops out of the plan for other operators. */
export const isCovered = (table: 'e' | 'd'): string => `($13::text[] is null or ${table}.tenant_id = any ($13))`;

/** Compares the type of `table` with the exact type $3 and the prefix $4. */
export const hasType = (table: 'e' | 'd'): string =>
  `($3::text is null or ${table}.type = $3) and ($4::text is null or starts_with(${table}.type, $4))`;

/**
 * Compares a failure with a reason, which may be null. RETRY_EXHAUSTED is the reason of failures that earlier builds
 * stored, and finds those that are marked as exhausted. The planner knows the parameter, and drops the parts for other
 * codes.
 */
export const hasReason = (reason: string, exhausted: string, parameter: string): string => {
  const replacements = REASONS_OF_LANE_FULL.map((code) => `'${code}'`).join(', ');
  return `(${parameter}::text is null or ${reason} = ${parameter}
    or ${parameter} = 'LANE_FULL' and ${reason} in (${replacements})
    or ${parameter} = 'RETRY_EXHAUSTED' and ${exhausted})`;
};

/** Compares the class of an HTTP status. `parameter` may be null. */
export const hasStatusClass = (statusCode: string, parameter: string): string =>
  `(${parameter}::text is null or coalesce(left(${statusCode}::text, 1) || 'xx', 'none') = ${parameter})`;

/**
 * The id of a group of dead letters: their reason, destination and message without its ids and numbers. `destination` is
 * null for those of handlers.
 */
export const groupId = (reason: string, destination: string, messageGroup: string): string =>
  `cause_group(${reason}, ${destination}, ${messageGroup})`;

/** The criteria that only `events` can answer. */
export const HAS_FACTS = `($5::text is null or e.subject = $5)
     and ($6::text is null or e.partition_key = $6)
     and ($7::text is null or e.source = $7)
     and ($14::uuid is null or e.source_id = $14)
     and ($9::text is null or e.correlation_id = $9)`;

/**
 * The ids of the events that $10 names. Each name stands for the event that GET /v1/events/{id} returns for it: the one
 * with this id, or else the newest event of the tenant with this eventId.
 */
export const NAMED = `
  with by_id as materialized (
    select e.id from events e
     where e.id = any (array(select t::uuid from unnest($10::text[]) t
                              where t ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'))
       and ($1::text is null or e.tenant_id = $1) and ${isCovered('e')} and ($7::text is null or e.source = $7)
  )
  select id from by_id
  union
  (select distinct on (e.event_id) e.id from events e
    where e.tenant_id = $1 and e.event_id = any ($10) and ($7::text is null or e.source = $7)
      and lower(e.event_id) not in (select id::text from by_id)
    order by e.event_id, e.id desc)`;

/** How many events the `eventIds` of a filter name, and how many of these are erased. */
export interface NamedCounts {
  named: number;
  erased: number;
}

/** Counts the events that $10 names. */
export async function countNamed(db: Db, criteria: EventCriteria): Promise<NamedCounts> {
  const { rows } = await db.query<NamedCounts>(
    `with criteria as (select ${CRITERIA_TYPES})
     select count(*)::integer as named, count(e.erased_at)::integer as erased
       from (${NAMED}) n cross join lateral (select e.erased_at from events e where e.id = n.id limit 1) e`,
    criteriaValues(criteria),
  );
  return rows[0] ?? { named: 0, erased: 0 };
}
