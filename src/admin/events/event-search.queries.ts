import type { Db } from '../../db/pool';
import type { EventStatus } from '../../event/event-status';
import type { EventCriteria } from './event-criteria';
import { ALL_TYPES, allValues, eventHasCause } from './cause-conditions.queries';
import { CANDIDATES, candidatesFor, type Candidates } from './event-candidates.queries';
import { HAS_FACTS, hasType, isCovered } from './event-conditions.queries';

export interface FoundEvent {
  id: string;
  eventId: string;
  tenantId: string;
  type: string;
  subject: string;
  partitionKey: string;
  source: string;
  occurredAt: string;
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  status: EventStatus;
}

export interface FoundPage {
  /** Newest first. */
  events: FoundEvent[];
  /** More events may match below this id. Null when the search is complete. */
  lookedDownTo: string | null;
}

const HAS_SUCCESS = `coalesce((
  select true from processing_attempts a
   where a.event_id = e.id and a.status = 'SUCCESS'
     and a.generation = coalesce((select s.generation from event_state s where s.event_id = e.id), 1) limit 1), false)`;

/** The lateral limit preserves the order of the candidates, so the scan stops when the page is full. */
const sourceOf = (candidates: Candidates): string =>
  candidates === 'all'
    ? `(${CANDIDATES.all}) e`
    : `(${CANDIDATES[candidates]}) c cross join lateral (select * from events e where e.id = c.id limit 1) e`;

/**
 * The view is named once, because planning it takes longer than reading it. Retention locks `events` before `deliveries`,
 * and PostgreSQL locks tables in the order of the text.
 */
const search = (candidates: Candidates): string => `
  with in_order as (select from events limit 0)
  select e.id, e.event_id as "eventId", e.tenant_id as "tenantId", e.type, e.subject,
         e.partition_key as "partitionKey", e.source, e.occurred_at as "occurredAt", e.received_at as "receivedAt",
         e.size_bytes as "sizeBytes", e.correlation_id as "correlationId", v.status
    from ${sourceOf(candidates)}
   cross join lateral (select v.status from event_status v where v.event_id = e.id limit 1) v
   where ($1::text is null or e.tenant_id = $1)
     and ${isCovered('e')}
     and ${hasType('e')}
     and ${HAS_FACTS}
     and ($10::text[] is null or true)
     and ($2::text is null or $2 not in ('RECEIVED', 'PUBLISHED', 'DELIVERING', 'COMPLETED')
          or ${HAS_SUCCESS} = ($2 in ('DELIVERING', 'COMPLETED')))
     and ($2::text is null or v.status = $2)
     and ${eventHasCause(HAS_SUCCESS)}
   order by ${candidates === 'all' ? 'e' : 'c'}.id desc limit $19`;

/** Finds the last candidate when the scan reached its bound of $18. More events may match below it. */
const lastCandidate = (candidates: Candidates): string => `
  with criteria as (select ${ALL_TYPES})
  select id from (${CANDIDATES[candidates].replace('e.*', 'e.id')}) c order by id desc offset $18 - 1 limit $19`;

/** The statement of one page. Exported for the test of its plan. */
export function pageStatement(criteria: EventCriteria, limit: number): { text: string; values: unknown[] } {
  const { candidates, most } = candidatesFor(criteria);
  return { text: search(candidates), values: valuesOf(criteria, most, limit) };
}

function valuesOf(criteria: EventCriteria, most: number, limit: number): unknown[] {
  return [...allValues(criteria), most, limit];
}

/**
 * Finds one page of events. The statements are unnamed, so PostgreSQL plans each with its values: conditions on null
 * criteria drop out of the plan, and estimates fit the values of the others.
 */
export async function findEvents(db: Db, criteria: EventCriteria, limit: number): Promise<FoundPage> {
  const { text, values } = pageStatement(criteria, limit);
  const { rows: events } = await db.query<FoundEvent>(text, values);
  if (events.length === limit) return { events, lookedDownTo: events.at(-1)?.id ?? null };
  const { candidates, most } = candidatesFor(criteria);
  const { rows } = await db.query<{ id: string }>(lastCandidate(candidates), valuesOf(criteria, most, 1));
  return { events, lookedDownTo: rows[0]?.id ?? null };
}
