import type { Db } from '../../db/pool';
import type { DeliveryStatus } from '../../delivery-state/delivery';
import { groupOfDelivery } from '../events/cause-conditions.queries';
import type { EventCriteria } from '../events/event-criteria';
import { criteriaValues, HAS_FACTS, hasType, isCovered, NAMED } from '../events/event-conditions.queries';
import type { StatusClass } from '../events/event-filter';
import type { ListedDelivery } from './deliveries.responses';

/** Where the next page of deliveries starts. Lists are ordered by event, newest first, then by destination. */
export interface DeliveryPosition {
  eventId: string;
  destinationId: string;
}

export interface DeliveryCriteria {
  /** What is asked of the event. Its `status` and all parts of its cause are null. */
  event: EventCriteria;
  destinationId: string | null;
  status: DeliveryStatus | null;
  reasonCode: string | null;
  statusClass: StatusClass | null;
  /** The id of a group of dead letters. */
  group: string | null;
  /** Exclusive. */
  below: DeliveryPosition;
}

/** Most candidates that one page examines, which bounds its time for any filter. */
const MOST_EXAMINED = 2_000;

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

/** $15 to $23, after the criteria of the event: see `valuesOf`. */
const isBelow = (table: string): string => `${table}.event_id >= $11 and ${table}.event_id < $12
  and ${table}.event_id <= $19 and (${table}.event_id, ${table}.destination_id) < ($19, $20)`;
const KEY_OF_D = 'd.event_id, d.destination_id, d.generation';
const NEWEST_FIRST = 'order by event_id desc, destination_id desc, generation desc limit $21';

/** The deliveries of events that are read from an index in the order of their ids. */
const ofEvents = (events: string): string => `
  select e.id as event_id, coalesce(d.destination_id, '${LOWEST_ID}') as destination_id, d.generation
    from (select e.id from ${events} and e.id >= $11 and e.id < $12 and e.id <= $19 order by e.id desc limit $21) e
    left join deliveries d on d.event_id = e.id and (d.event_id, d.destination_id) < ($19, $20)`;

/**
 * Candidates of a page. Each variant examines at most $21 events or deliveries, newest first. The last candidate becomes
 * a cursor, so an operator who is bound to tenants gets candidates of these tenants only.
 */
const CANDIDATES = {
  all: `select ${KEY_OF_D} from deliveries d where ${isBelow('d')} ${NEWEST_FIRST}`,
  failed: `select ${KEY_OF_D} from deliveries d
            where d.failed_at is not null and ${isBelow('d')} and ($1::text is null or d.tenant_id = $1)
              and ${isCovered('d')} and ${hasType('d')} ${NEWEST_FIRST}`,
  open: `select q.event_id, q.destination_id, q.generation from delivery_queue q
          where ${isBelow('q')} and ($13::text[] is null or exists (
            select from deliveries d where d.event_id = q.event_id and d.tenant_id = any ($13))) ${NEWEST_FIRST}`,
  ofTenant: ofEvents('events e where e.tenant_id = $1'),
  ofTenants: ofEvents('events e where e.tenant_id = any ($13)'),
  correlated: ofEvents(`events e where e.correlation_id = $9 and ${isCovered('e')}`),
  named: ofEvents(`(${NAMED}) e where true`),
};
type Candidates = keyof typeof CANDIDATES;

const search = (candidates: Candidates): string => `
  with candidates as materialized (${CANDIDATES[candidates]}),
  last as (
    select event_id, destination_id from candidates
     where (select count(${perEvent(candidates) ? 'distinct event_id' : '*'}) from candidates) >= $21
     order by event_id, destination_id limit 1
  ), found as (
    select d.event_id as id, d.tenant_id as "tenantId", e.event_id as "eventId", d.type, e.subject,
           d.destination_id as "destinationId", d.generation, d.status, d.attempts, d.exhausted,
           d.last_reason_code as "lastReasonCode", d.last_status_code as "lastStatusCode",
           d.next_attempt_at as "nextAttemptAt", d.delivered_at as "deliveredAt"
      from candidates c
     cross join lateral (
       select * from delivery_status v
        where v.event_id = c.event_id and v.destination_id = c.destination_id and v.generation = c.generation limit 1) d
     cross join lateral (select * from events e where e.id = c.event_id limit 1) e
     where d.newest and ($1::text is null or d.tenant_id = $1) and ${isCovered('d')} and ${hasType('d')} and ${HAS_FACTS}
       and ($2::text is null and $8::text is null and ($10::text[] is null or true))
       and ($15::uuid is null or d.destination_id = $15)
       and ($16::text is null or d.status = $16)
       and ($23::text is null or ${groupOfDelivery('d')} = $23)
       and ($17::text is null or d.last_reason_code = $17 or $17 = 'RETRY_EXHAUSTED' and d.exhausted)
       and ($18::text is null or coalesce(d.last_status_code / 100 || 'xx', 'none') = $18)
     order by c.event_id desc, c.destination_id desc limit $22
  )
  select found.*, last.event_id as "lastEventId", last.destination_id as "lastDestinationId"
    from (select 1) one left join found on true left join last on true
   order by found.id desc, found."destinationId" desc`;

const perEvent = (candidates: Candidates): boolean => !['all', 'failed', 'open'].includes(candidates);

function candidatesFor({ event, status }: DeliveryCriteria): Candidates {
  const { tenantId, tenantIds, eventIds, correlationId } = event;
  if (eventIds) return 'named';
  if (correlationId) return 'correlated';
  if (status === 'FAILED' || status === 'DISCARDED') return 'failed';
  if (status === 'PENDING' || status === 'IN_FLIGHT' || status === 'RETRYING') return 'open';
  if (tenantId) return 'ofTenant';
  return tenantIds ? 'ofTenants' : 'all';
}

function valuesOf(criteria: DeliveryCriteria, limit: number): unknown[] {
  const { event, destinationId, status, reasonCode, statusClass, group, below } = criteria;
  const own = [destinationId, status, reasonCode, statusClass, below.eventId, below.destinationId];
  return [...criteriaValues(event), ...own, MOST_EXAMINED, limit, group];
}

/** The statement of one page. Exported for the test of its plan. */
export function deliveriesStatement(criteria: DeliveryCriteria, limit: number): { text: string; values: unknown[] } {
  return { text: search(candidatesFor(criteria)), values: valuesOf(criteria, limit) };
}

type FoundRow = { [K in keyof ListedDelivery]: ListedDelivery[K] | null } & {
  lastEventId: string | null;
  lastDestinationId: string | null;
};

/**
 * Finds one page of deliveries: the newest of each event and destination. `next` is where more may match, and null when
 * the search is complete.
 */
export async function findDeliveries(
  db: Db,
  criteria: DeliveryCriteria,
  limit: number,
): Promise<{ deliveries: ListedDelivery[]; next: DeliveryPosition | null }> {
  const { text, values } = deliveriesStatement(criteria, limit);
  const { rows } = await db.query<FoundRow>(text, values);
  const deliveries = rows.flatMap(({ lastEventId: _event, lastDestinationId: _destination, ...found }) =>
    found.id === null ? [] : [found as ListedDelivery],
  );
  const last = deliveries.at(-1);
  if (last && deliveries.length === limit) {
    return { deliveries, next: { eventId: last.id, destinationId: last.destinationId } };
  }
  const { lastEventId = null, lastDestinationId = null } = rows[0] ?? {};
  const more = lastEventId !== null && lastDestinationId !== null;
  return { deliveries, next: more ? { eventId: lastEventId, destinationId: lastDestinationId } : null };
}
