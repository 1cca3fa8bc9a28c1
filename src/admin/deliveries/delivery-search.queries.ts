import type { Db } from '../../db/pool';
import type { DeliveryStatus } from '../../delivery-state/delivery';
import { groupOfDelivery } from '../events/cause-conditions.queries';
import type { EventCriteria } from '../events/event-criteria';
import {
  criteriaValues,
  HAS_FACTS,
  hasReason,
  hasStatusClass,
  hasType,
  isCovered,
} from '../events/event-conditions.queries';
import type { StatusClass } from '../events/event-filter';
import type { ListedDelivery } from './deliveries.responses';
import {
  DELIVERY_CANDIDATES,
  deliveryCandidatesFor,
  countsEvents,
  type DeliveryCandidates,
} from './delivery-candidates.queries';

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

/** Retention locks `events` before `deliveries`, and PostgreSQL locks tables in the order of the text. */
const search = (candidates: DeliveryCandidates): string => `
  with in_order as (select from events limit 0),
  candidates as materialized (${DELIVERY_CANDIDATES[candidates]}),
  last as (
    select event_id, destination_id from candidates
     where (select count(${countsEvents(candidates) ? 'distinct event_id' : '*'}) from candidates) >= $21
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
       and ${hasReason('d.last_reason_code', 'd.exhausted', '$17')}
       and ${hasStatusClass('d.last_status_code', '$18')}
     order by c.event_id desc, c.destination_id desc limit $22
  )
  select found.*, last.event_id as "lastEventId", last.destination_id as "lastDestinationId"
    from (select 1) one left join found on true left join last on true
   order by found.id desc, found."destinationId" desc`;

/** $15 to $23 follow the criteria of the event. */
function valuesOf(criteria: DeliveryCriteria, most: number, limit: number): unknown[] {
  const { event, destinationId, status, reasonCode, statusClass, group, below } = criteria;
  const own = [destinationId, status, reasonCode, statusClass, below.eventId, below.destinationId];
  return [...criteriaValues(event), ...own, most, limit, group];
}

/** The statement of one page. Exported for the test of what it reads. */
export async function deliveriesStatement(
  db: Db,
  criteria: DeliveryCriteria,
  limit: number,
): Promise<{ text: string; values: unknown[] }> {
  const { candidates, most } = await deliveryCandidatesFor(db, criteria.event, criteria);
  return { text: search(candidates), values: valuesOf(criteria, most, limit) };
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
  const { text, values } = await deliveriesStatement(db, criteria, limit);
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
