import type { ActingOperator } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import type { DeliveryStatus } from '../../delivery-state/delivery';
import { parseUuid } from '../../event/uuid-v7';
import { damagedCursor, decodeKeyCursor, encodeKeyCursor } from '../endpoint/paging';
import { criteriaOf } from '../events/event-criteria';
import type { EventFilter } from '../events/event-filter';
import type { DeliveriesQuery } from './deliveries.requests';
import type { ListedDelivery } from './deliveries.responses';
import { findDeliveries, type DeliveryCriteria, type DeliveryPosition } from './delivery-search.queries';

export type DeliveryFilter = Omit<EventFilter, 'status'> & { status?: DeliveryStatus };

const DELIVERIES_PER_SEARCH = 500;
const HIGHEST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
export const FROM_THE_TOP: DeliveryPosition = { eventId: HIGHEST_ID, destinationId: HIGHEST_ID };

export function deliveryCriteriaOf(
  { destinationId, status, reasonCode, statusClass, group, ...event }: DeliveryFilter,
  acting: Pick<ActingOperator, 'tenantIds'>,
  below: DeliveryPosition,
): DeliveryCriteria {
  return {
    event: criteriaOf(event, acting),
    destinationId: destinationId ?? null,
    status: status ?? null,
    reasonCode: reasonCode ?? null,
    statusClass: statusClass ?? null,
    group: group ?? null,
    below,
  };
}

/** Finds the newest `limit` deliveries that match the filter of an operator. */
export async function findMatchingDeliveries(
  db: Db,
  filter: DeliveryFilter,
  acting: ActingOperator,
  limit: number,
): Promise<ListedDelivery[]> {
  const found: ListedDelivery[] = [];
  let below: DeliveryPosition | null = FROM_THE_TOP;
  while (below !== null && found.length < limit) {
    const wanted = Math.min(DELIVERIES_PER_SEARCH, limit - found.length);
    const page = await findDeliveries(db, deliveryCriteriaOf(filter, acting, below), wanted);
    found.push(...page.deliveries);
    below = page.next;
  }
  return found;
}

/** Finds one page of deliveries. @throws Problem `invalid-request` when the cursor is not of this list */
export async function findDeliveriesPage(
  db: Db,
  query: DeliveriesQuery,
  acting: ActingOperator,
): Promise<{ deliveries: ListedDelivery[]; nextCursor: string | null }> {
  const { deliveries, next } = await findDeliveries(
    db,
    deliveryCriteriaOf(query, acting, positionOf(query.cursor)),
    query.limit,
  );
  return { deliveries, nextCursor: next && encodeKeyCursor('deliveries', [next.eventId, next.destinationId]) };
}

function positionOf(cursor: string | undefined): DeliveryPosition {
  if (cursor === undefined) return FROM_THE_TOP;
  const [eventId, destinationId] = decodeKeyCursor('deliveries', cursor, 2).map((id) => parseUuid(id));
  if (eventId === undefined || destinationId === undefined) throw damagedCursor();
  return { eventId, destinationId };
}
