import { hasCauseOfLetter, hasStoredCause } from './cause-conditions.queries';
import { hasType, isCovered, NAMED } from './event-conditions.queries';
import type { EventCriteria } from './event-criteria';

/**
 * Most events that one page scans. Criteria without an index are checked event by event, and this bounds the time of a
 * page for any filter. Status and deliveries are read from other tables and cost more to check, so such pages scan fewer
 * events.
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

/**
 * Covers `table`, which does not know the tenant of its event. A subquery that looks up each event, because the planner
 * turns `exists` into a join that may read all events.
 */
const isCoveredEvent = (table: string): string => `($13::text[] is null or
  (select e.tenant_id from events e where e.id = ${table}.event_id limit 1) = any ($13))`;

const inRange = (table: string): string => `${table}.event_id >= $11 and ${table}.event_id < $12`;

const states = (status: 'RETRYING' | 'DISCARDED'): string => `
  select s.event_id as id from event_state s
   where s.status = '${status}' and ${inRange('s')} and ${isCoveredEvent('s')} order by s.event_id desc limit $18`;

/** An event has several deliveries. `distinct` keeps each event once, so that the limit counts events. */
const QUEUED = `
  select distinct on (q.event_id) q.event_id as id from delivery_queue q
   where ${inRange('q')} and ${isCoveredEvent('q')} order by q.event_id desc limit $18`;

const failed = (status: 'FAILED' | 'DISCARDED'): string => `
  select distinct on (d.event_id) d.event_id as id from deliveries d
   where d.failed_at is not null and d.status = '${status}' and ${inRange('d')}
     and ($1::text is null or d.tenant_id = $1) and ${isCovered('d')} and ${hasType('d')} and ${hasStoredCause('d')}
   order by d.event_id desc limit $18`;

const LETTERS = `
  select d.event_id as id from dead_letters d
   where d.resolved_at is null and ${inRange('d')}
     and ($1::text is null or d.tenant_id = $1) and ${isCovered('d')} and ${hasType('d')} and ${hasCauseOfLetter('d')}
   order by d.event_id desc limit $18`;

/** The newest of two lists. Each is complete down to its last id, so the union is complete down to its own last. */
const newestOf = (a: string, b: string): string => `select id from ((${a}) union (${b})) c order by id desc limit $18`;

/**
 * Candidates of a page, newest first, at most $18. Each variant reads an index in id order. The last candidate becomes a
 * cursor, so an operator who is bound to tenants gets candidates of these tenants only.
 */
export const CANDIDATES = {
  all: `select e.* from events e
         where e.id >= $11 and e.id < $12 and ($1::text is null or e.tenant_id = $1) order by e.id desc limit $18`,
  ofTenants: `select one.id from unnest($13::text[]) t (tenant_id) cross join lateral (
           select e.id from events e where e.tenant_id = t.tenant_id and e.id >= $11 and e.id < $12
            order by e.id desc limit $18) one
         order by one.id desc limit $18`,
  delivering: QUEUED,
  retrying: newestOf(states('RETRYING'), QUEUED),
  discarded: newestOf(states('DISCARDED'), failed('DISCARDED')),
  dead: newestOf(LETTERS, failed('FAILED')),
  correlated: `select e.id from events e
         where e.correlation_id = $9 and e.id >= $11 and e.id < $12 and ${isCovered('e')} order by e.id desc limit $18`,
  named: `select id from (${NAMED}) n where id >= $11 and id < $12 order by id desc limit $18`,
};
export type Candidates = keyof typeof CANDIDATES;

/** Chooses the candidates of a page, and how many of them it scans at most. */
export function candidatesFor(criteria: EventCriteria): { candidates: Candidates; most: number } {
  const { tenantId, tenantIds, status, eventIds, correlationId } = criteria;
  const unindexed = status ?? criteria.destinationId ?? criteria.statusClass;
  if (eventIds) return { candidates: 'named', most: MOST_SCANNED };
  if (correlationId) return { candidates: 'correlated', most: unindexed ? MOST_SCANNED_WITH_STATUS : MOST_SCANNED };
  if (status && status in OF_STATUS) {
    return { candidates: OF_STATUS[status] as Candidates, most: MOST_SCANNED_WITH_STATUS };
  }
  if (tenantIds && tenantId === null) return { candidates: 'ofTenants', most: mostOfEach(tenantIds.length) };
  if (unindexed) return { candidates: 'all', most: MOST_SCANNED_WITH_STATUS };
  return { candidates: 'all', most: tenantId ? MOST_SCANNED_OF_TENANT : MOST_SCANNED };
}

const OF_STATUS: Partial<Record<NonNullable<EventCriteria['status']>, Candidates>> = {
  DELIVERING: 'delivering',
  RETRYING: 'retrying',
  DISCARDED: 'discarded',
  DLQ: 'dead',
};

/** Returns how many events of each tenant a page reads. */
export function mostOfEach(tenants: number): number {
  return Math.max(LARGEST_PAGE, Math.min(MOST_SCANNED_WITH_STATUS, Math.floor(MOST_READ_OF_TENANTS / tenants)));
}
