import type { Db } from '../../db/pool';
import { REASONS_OF_LANE_FULL, type EventStatus } from '../../event/event-status';

/** A filter converted for SQL: id bounds instead of times, null for criteria that match everything. */
export interface EventCriteria {
  tenantId: string | null;
  status: EventStatus | null;
  type: string | null;
  subject: string | null;
  reasonCode: string | null;
  correlationId: string | null;
  eventIds: readonly string[] | null;
  /** Lowest id, inclusive. */
  fromId: string;
  /** Highest id, exclusive: the end of the time range, or the cursor. */
  beforeId: string;
}

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

const HAS_SUCCESS = `coalesce((
  select true from processing_attempts a
   where a.event_id = e.id and a.status = 'SUCCESS'
     and a.generation = coalesce((select s.generation from event_state s where s.event_id = e.id), 1) limit 1), false)`;
const NEWEST_REASON = `(
  select a.reason_code from processing_attempts a
   where a.event_id = e.id and a.status <> 'SUCCESS' order by a.created_at desc limit 1)`;
/** Compares `column` with the reason $5. The planner knows $5, and drops the second half unless it is LANE_FULL. */
const isReason = (column: string): string =>
  `(${column} = $5 or $5 = 'LANE_FULL' and ${column} in (${REASONS_OF_LANE_FULL.map((code) => `'${code}'`).join(', ')}))`;
const STATUS = `(select v.status from event_status v where v.event_id = e.id)`;

/**
 * Candidates of a page, newest first, at most $9. Each variant reads an index in id order: dead letters and other
 * states by status, named events by their keys, correlated events by correlation id, all others from `events` itself.
 */
const CANDIDATES = {
  all: `select e.* from events e
         where e.id >= $7 and e.id < $8 and ($1::text is null or e.tenant_id = $1) order by e.id desc limit $9`,
  states: `select s.event_id as id from event_state s
         where s.status = $2 and s.event_id >= $7 and s.event_id < $8 order by s.event_id desc limit $9`,
  deadLetters: `select d.event_id as id from dead_letters d
         where d.resolved_at is null and d.event_id >= $7 and d.event_id < $8
           and ($1::text is null or d.tenant_id = $1) and ($3::text is null or d.type = $3)
           and ($5::text is null or ${isReason('d.reason_code')}) order by d.event_id desc limit $9`,
  correlated: `select e.id from events e
         where e.correlation_id = $11 and e.id >= $7 and e.id < $8 order by e.id desc limit $9`,
  named: `select id from (
            select e.id from events e
             where e.id = any (array(select t::uuid from unnest($6::text[]) t
                                      where t ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'))
             union select e.id from events e where e.tenant_id = $1 and e.event_id = any ($6)) n
         where id >= $7 and id < $8 order by id desc limit $9`,
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
     and ($3::text is null or e.type = $3)
     and ($4::text is null or e.subject = $4)
     and ($6::text[] is null or true)
     and ($11::text is null or e.correlation_id = $11)
     and ($5::text is null or ${isReason(NEWEST_REASON)})
     and ($2::text is null or ${HAS_SUCCESS} = ($2 = 'COMPLETED'))
     and ($2::text is null or $2 = 'COMPLETED' or ${STATUS} = $2)
   order by ${candidates === 'all' ? 'e' : 'c'}.id desc limit $10`;

/** Finds the last candidate when the scan reached its bound of $9. More events may match below it. */
const lastCandidate = (candidates: Candidates): string => `
  with criteria as (select $1::text, $2::text, $3::text, $4::text, $5::text, $6::text[], $11::text)
  select id from (${CANDIDATES[candidates].replace('e.*', 'e.id')}) c order by id desc offset $9 - 1 limit $10`;

function candidatesFor(criteria: EventCriteria): { candidates: Candidates; most: number } {
  const { tenantId, status, eventIds, correlationId } = criteria;
  if (eventIds) return { candidates: 'named', most: MOST_SCANNED };
  if (correlationId) return { candidates: 'correlated', most: status ? MOST_SCANNED_WITH_STATUS : MOST_SCANNED };
  if (status === 'DLQ') return { candidates: 'deadLetters', most: MOST_SCANNED_WITH_STATUS };
  if (status === 'RETRYING' || status === 'DISCARDED') return { candidates: 'states', most: MOST_SCANNED_WITH_STATUS };
  if (status) return { candidates: 'all', most: MOST_SCANNED_WITH_STATUS };
  return { candidates: 'all', most: tenantId ? MOST_SCANNED_OF_TENANT : MOST_SCANNED };
}

/** The statement of one page. Exported for the test of its plan. */
export function pageStatement(criteria: EventCriteria, limit: number): { text: string; values: unknown[] } {
  const { candidates, most } = candidatesFor(criteria);
  return { text: search(candidates), values: valuesOf(criteria, most, limit) };
}

function valuesOf(criteria: EventCriteria, most: number, limit: number): unknown[] {
  const { tenantId, status, type, subject, reasonCode, correlationId, eventIds, fromId, beforeId } = criteria;
  return [tenantId, status, type, subject, reasonCode, eventIds, fromId, beforeId, most, limit, correlationId];
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
