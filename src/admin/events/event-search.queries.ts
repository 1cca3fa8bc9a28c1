import type { Db } from '../../db/pool';
import type { EventStatus } from '../../event/event-status';
import type { EventCriteria } from './event-criteria';
import {
  CRITERIA_TYPES,
  criteriaValues,
  HAS_FACTS,
  hasReason,
  hasType,
  isCovered,
  NAMED,
} from './event-conditions.queries';

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

/**
 * Most events that one page scans. Criteria without an index are checked event by event, and this bounds the time of a
 * page for any filter. Status is derived from other tables and costs more to check, so such pages scan fewer events.
 */
const MOST_SCANNED = 5_000;
/** Fewer, because the events of one tenant are scattered among those of other tenants. */
const MOST_SCANNED_OF_TENANT = 2_000;
const MOST_SCANNED_WITH_STATUS = 1_000;
/**
 * For several tenants, that many events of each are read from the index before the newest are taken. The more tenants,
 * the fewer of each, but never fewer than a page holds.
 */
const MOST_READ_OF_TENANTS = 20_000;
const LARGEST_PAGE = 500;

const HAS_SUCCESS = `coalesce((
  select true from processing_attempts a
   where a.event_id = e.id and a.status = 'SUCCESS'
     and a.generation = coalesce((select s.generation from event_state s where s.event_id = e.id), 1) limit 1), false)`;
const NEWEST_REASON = `(
  select a.reason_code from processing_attempts a
   where a.event_id = e.id and a.status <> 'SUCCESS' order by a.created_at desc limit 1)`;
const STATUS = `(select v.status from event_status v where v.event_id = e.id)`;

/**
 * Candidates of a page, newest first, at most $15. Each variant reads an index in id order. The last candidate becomes a
 * cursor, so an operator who is bound to tenants gets candidates of these tenants only.
 */
const CANDIDATES = {
  all: `select e.* from events e
         where e.id >= $11 and e.id < $12 and ($1::text is null or e.tenant_id = $1) order by e.id desc limit $15`,
  ofTenants: `select one.id from unnest($13::text[]) t (tenant_id) cross join lateral (
           select e.id from events e where e.tenant_id = t.tenant_id and e.id >= $11 and e.id < $12
            order by e.id desc limit $15) one
         order by one.id desc limit $15`,
  states: `select s.event_id as id from event_state s
         where s.status = $2 and s.event_id >= $11 and s.event_id < $12
           and ($13::text[] is null or exists (select from events e where e.id = s.event_id and e.tenant_id = any ($13)))
         order by s.event_id desc limit $15`,
  deadLetters: `select d.event_id as id from dead_letters d
         where d.resolved_at is null and d.event_id >= $11 and d.event_id < $12
           and ($1::text is null or d.tenant_id = $1) and ${isCovered('d')} and ${hasType('d')} and ${hasReason('d.reason_code')}
         order by d.event_id desc limit $15`,
  correlated: `select e.id from events e
         where e.correlation_id = $9 and e.id >= $11 and e.id < $12 and ${isCovered('e')} order by e.id desc limit $15`,
  named: `select id from (${NAMED}) n where id >= $11 and id < $12 order by id desc limit $15`,
};
type Candidates = keyof typeof CANDIDATES;

/** The lateral limit preserves the order of the candidates, so the scan stops when the page is full. */
const sourceOf = (candidates: Candidates): string =>
  candidates === 'all'
    ? `(${CANDIDATES.all}) e`
    : `(${CANDIDATES[candidates]}) c cross join lateral (select * from events e where e.id = c.id limit 1) e`;

const search = (candidates: Candidates): string => `
  select e.id, e.event_id as "eventId", e.tenant_id as "tenantId", e.type, e.subject,
         e.partition_key as "partitionKey", e.source, e.occurred_at as "occurredAt", e.received_at as "receivedAt",
         e.size_bytes as "sizeBytes", e.correlation_id as "correlationId", ${STATUS} as status
    from ${sourceOf(candidates)}
   where ($1::text is null or e.tenant_id = $1)
     and ${isCovered('e')}
     and ${hasType('e')}
     and ${HAS_FACTS}
     and ($10::text[] is null or true)
     and ${hasReason(NEWEST_REASON)}
     and ($2::text is null or ${HAS_SUCCESS} = ($2 = 'COMPLETED'))
     and ($2::text is null or $2 = 'COMPLETED' or ${STATUS} = $2)
   order by ${candidates === 'all' ? 'e' : 'c'}.id desc limit $16`;

/** Finds the last candidate when the scan reached its bound of $15. More events may match below it. */
const lastCandidate = (candidates: Candidates): string => `
  with criteria as (select ${CRITERIA_TYPES})
  select id from (${CANDIDATES[candidates].replace('e.*', 'e.id')}) c order by id desc offset $15 - 1 limit $16`;

function candidatesFor(criteria: EventCriteria): { candidates: Candidates; most: number } {
  const { tenantId, tenantIds, status, eventIds, correlationId } = criteria;
  if (eventIds) return { candidates: 'named', most: MOST_SCANNED };
  if (correlationId) return { candidates: 'correlated', most: status ? MOST_SCANNED_WITH_STATUS : MOST_SCANNED };
  if (status === 'DLQ') return { candidates: 'deadLetters', most: MOST_SCANNED_WITH_STATUS };
  if (status === 'RETRYING' || status === 'DISCARDED') return { candidates: 'states', most: MOST_SCANNED_WITH_STATUS };
  if (tenantIds && tenantId === null) return { candidates: 'ofTenants', most: mostOfEach(tenantIds.length) };
  if (status) return { candidates: 'all', most: MOST_SCANNED_WITH_STATUS };
  return { candidates: 'all', most: tenantId ? MOST_SCANNED_OF_TENANT : MOST_SCANNED };
}

function mostOfEach(tenants: number): number {
  return Math.max(LARGEST_PAGE, Math.min(MOST_SCANNED_WITH_STATUS, Math.floor(MOST_READ_OF_TENANTS / tenants)));
}

/** The statement of one page. Exported for the test of its plan. */
export function pageStatement(criteria: EventCriteria, limit: number): { text: string; values: unknown[] } {
  const { candidates, most } = candidatesFor(criteria);
  return { text: search(candidates), values: valuesOf(criteria, most, limit) };
}

function valuesOf(criteria: EventCriteria, most: number, limit: number): unknown[] {
  return [...criteriaValues(criteria), most, limit];
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
