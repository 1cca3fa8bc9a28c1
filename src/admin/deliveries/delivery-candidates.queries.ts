import type { Db } from '../../db/pool';
import type { DeliveryStatus } from '../../delivery-state/delivery';
import { isInDueOrder } from '../../delivery-state/delivery-keys';
import { mostOfEach } from '../events/event-candidates.queries';
import { isCovered, NAMED } from '../events/event-conditions.queries';
import type { EventCriteria } from '../events/event-criteria';

/** Most candidates that one page examines, which bounds its time for any filter. */
const MOST_EXAMINED = 2_000;
/** The queue of some tenants or of one destination is read as a whole up to this length. */
const SHORT_QUEUE = 20_000;

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

/** The values from $15 on, after the criteria of the event, are in delivery-search. */
const isBelow = (table: string): string => `${table}.event_id >= $11 and ${table}.event_id < $12
  and ${table}.event_id <= $19 and (${table}.event_id, ${table}.destination_id) < ($19, $20)`;
const KEY = 'event_id, destination_id, generation';
const NEWEST_FIRST = 'order by event_id desc, destination_id desc, generation desc limit $21';

/** The tenants that the search covers. No rows if it covers all. */
const TENANTS = 'unnest(case when $1::text is null then $13::text[] else array[$1] end) t (tenant_id)';

/** The deliveries of events that are read from an index in the order of their ids. */
const ofEvents = (events: string): string => `
  select e.id as event_id, coalesce(d.destination_id, '${LOWEST_ID}') as destination_id, d.generation
    from (select e.id from ${events} and e.id >= $11 and e.id < $12 and e.id <= $19 order by e.id desc limit $21) e
    left join deliveries d on d.event_id = e.id and (d.event_id, d.destination_id) < ($19, $20)`;

const ownDestinations = (tenantId: string, tenantIds: string, destinationId: string): string => `
  select id from destinations
   where (${tenantId}::text is null or tenant_id = ${tenantId})
     and (${tenantIds}::text[] is null or tenant_id = any (${tenantIds}))
     and (${destinationId}::uuid is null or id = ${destinationId})`;

/**
 * DeliveryCandidates of a page. Each variant takes the newest $21 events or deliveries of an index, and no condition of the filter
 * lets it read further. The last candidate becomes a cursor, so an operator who is bound to tenants gets candidates of
 * these tenants only. The order by due_at makes PostgreSQL read the queue by destination.
 */
export const DELIVERY_CANDIDATES = {
  all: `select ${KEY} from deliveries d where ${isBelow('d')} ${NEWEST_FIRST}`,
  failed: `select ${KEY} from deliveries d where d.failed_at is not null and ${isBelow('d')} ${NEWEST_FIRST}`,
  failedOfTenants: `select ${KEY} from ${TENANTS} cross join lateral (
           select ${KEY} from deliveries d
            where d.failed_at is not null and d.tenant_id = t.tenant_id and ${isBelow('d')} ${NEWEST_FIRST}) one
         ${NEWEST_FIRST}`,
  open: `select ${KEY} from delivery_queue q where ${isBelow('q')} ${NEWEST_FIRST}`,
  openOfFew: `select ${KEY} from (${ownDestinations('$1', '$13', '$15')}) own cross join lateral (
           select ${KEY} from delivery_queue q where q.destination_id = own.id and ${isInDueOrder('q')} and ${isBelow('q')}
            order by q.due_at limit 2 * ${SHORT_QUEUE}) one
         ${NEWEST_FIRST}`,
  ofTenants: ofEvents(`(select one.id from ${TENANTS} cross join lateral (
           select e.id from events e where e.tenant_id = t.tenant_id and e.id >= $11 and e.id < $12 and e.id <= $19
            order by e.id desc limit $21) one) e where true`),
  correlated: ofEvents(`events e where e.correlation_id = $9 and ${isCovered('e')}`),
  named: ofEvents(`(${NAMED}) e where true`),
};
export type DeliveryCandidates = keyof typeof DELIVERY_CANDIDATES;

/** Whether the limit of the candidates counts events. Otherwise it counts deliveries. */
export const countsEvents = (candidates: DeliveryCandidates): boolean =>
  ['ofTenants', 'correlated', 'named'].includes(candidates);

const OPEN_STATUSES: readonly DeliveryStatus[] = ['PENDING', 'IN_FLIGHT', 'RETRYING', 'PARKED'];

/** Chooses the candidates of a page, and how many of them it examines at most. */
export async function deliveryCandidatesFor(
  db: Db,
  event: EventCriteria,
  { status, destinationId }: { status: DeliveryStatus | null; destinationId: string | null },
): Promise<{ candidates: DeliveryCandidates; most: number }> {
  const { tenantId, tenantIds, eventIds, correlationId } = event;
  const most = tenantId === null && tenantIds ? mostOfEach(tenantIds.length) : MOST_EXAMINED;
  const coversAll = tenantId === null && tenantIds === null;
  if (eventIds) return { candidates: 'named', most };
  if (correlationId) return { candidates: 'correlated', most };
  if (status === 'FAILED' || status === 'DISCARDED') {
    return { candidates: coversAll ? 'failed' : 'failedOfTenants', most };
  }
  if (status !== null && OPEN_STATUSES.includes(status)) {
    const named = !coversAll || destinationId !== null;
    if (named && (await hasShortQueue(db, event, destinationId))) return { candidates: 'openOfFew', most };
    // Many deliveries wait, so the newest of all tenants are a fair place to look. A cursor of these tells of others.
    if (tenantIds === null) return { candidates: 'open', most };
  }
  return { candidates: coversAll ? 'all' : 'ofTenants', most };
}

async function hasShortQueue(
  db: Db,
  { tenantId, tenantIds }: EventCriteria,
  destinationId: string | null,
): Promise<boolean> {
  const { rows } = await db.query<{ length: number }>(
    `select count(*)::integer as length
       from (select from (${ownDestinations('$1', '$2', '$3')}) own cross join lateral (
               select from delivery_queue q
                where q.destination_id = own.id and ${isInDueOrder('q')} order by q.due_at limit $4) one limit $4) few`,
    [tenantId, tenantIds, destinationId, SHORT_QUEUE + 1],
  );
  return (rows[0]?.length ?? 0) <= SHORT_QUEUE;
}
