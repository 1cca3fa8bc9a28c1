import type { Db } from '../db/pool';
import { CLAIMABLE } from './claim-deliveries.queries';
import type { DeliveryLease, PlannedDelivery, RecordedDelivery } from './delivery';

/**
 * Earlier builds called destinations in a handler. They recorded in handler_effects which destinations had the event and
 * which had refused it. A refusal counts only until an operator retries the event, which sets `attempts` to 0.
 */
const CARRIED_OVER = `
  select bool_or(h.handler = 'destination:' || t.destination_id) as delivered,
         bool_or(h.handler = 'destination-refused:' || t.destination_id and s.attempts > 0) as refused
    from handler_effects h left join event_state s on s.event_id = h.event_id
   where h.event_id = t.event_id and h.generation = t.event_generation
     and h.handler in ('destination:' || t.destination_id, 'destination-refused:' || t.destination_id)`;

const NEWEST = `(select max(d.generation) from deliveries d
                  where d.event_id = t.event_id and d.destination_id = t.destination_id)`;

/**
 * Every delivery gets the generation that follows the newest of its event and destination. The text for first deliveries
 * looks nothing up in `deliveries`: such a plan would lock all of its partitions in each settle transaction.
 */
const record = (generation: string): string => `
  with planned as materialized (
    select t.*, ${generation} as generation, coalesce(t.reserved and ${CLAIMABLE}, false) as claimable,
           case when before.delivered then 'DELIVERED'
                when to_.enabled is not true then 'SKIPPED'
                when before.refused then 'FAILED'
                else 'OPEN' end as status,
           case when before.delivered then 'PROCESSED'
                when to_.id is null then 'DESTINATION_DELETED'
                when not to_.enabled then 'DESTINATION_DISABLED'
                when before.refused then 'HTTP_4XX' end as reason_code
      from unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::uuid[], $3::text[], $4::text[],
                  $5::integer[], $6::boolean[], $9::integer[])
           as t (event_id, destination_id, tenant_id, type, event_generation, reserved, revision)
      left join lateral (select id, enabled, paused_at from destinations where id = t.destination_id offset 0) to_ on true
      left join lateral (
        select open_until from destination_failures where destination_id = t.destination_id offset 0
      ) failing on true
      left join lateral (${CARRIED_OVER}) before on true
  ), recorded as (
    insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, last_reason_code, settled_at,
                            failed_at, revision)
    select event_id, destination_id, generation, tenant_id, type, status, reason_code,
           case when status <> 'OPEN' then now() end, case when status = 'FAILED' then now() end, revision
      from planned order by event_id, destination_id
    on conflict (event_id, destination_id, generation) do nothing
    returning event_id, destination_id
  ), queued as (
    insert into delivery_queue (event_id, destination_id, generation, due_at, lease)
    select event_id, destination_id, generation,
           case when claimable then clock_timestamp() + make_interval(secs => $8) else now() end, case when claimable then $7::uuid end
      from planned join recorded using (event_id, destination_id)
     where status = 'OPEN'
     order by event_id, destination_id
  )
  select event_id as "eventId", destination_id as "destinationId", generation,
         case when status <> 'OPEN' then 'settled' when claimable then 'leased' else 'queued' end as outcome
    from planned join recorded using (event_id, destination_id)`;

const FIRST = { name: 'record-first-deliveries', text: record('1') };
const NEXT = { name: 'record-next-deliveries', text: record(`1 + coalesce(${NEWEST}, 0)`) };

/**
 * Records the deliveries of completed events, in the transaction that completes them (I7), and queues the open ones.
 * A reserved delivery gets the lease if its destination may be sent to. The lease begins with this statement, because
 * the transaction may have begun long before. Returns fewer rows than `planned` if another
 * transaction recorded a delivery meanwhile (a backfill); the caller must then roll back.
 *
 * @arrow [*] --> OPEN
 * @arrow [*] --> DELIVERED
 * @arrow [*] --> FAILED
 * @arrow [*] --> SKIPPED
 */
export async function recordDeliveries(
  db: Db,
  planned: readonly PlannedDelivery[],
  lease: Omit<DeliveryLease, 'sinceMs'>,
): Promise<RecordedDelivery[]> {
  const first = planned.filter(({ eventGeneration }) => eventGeneration === 1);
  const recorded = await insert(db, FIRST, first, lease);
  if (recorded.length === planned.length) return recorded;
  const known = new Set(recorded.map(keyOf));
  const others = planned.filter((one) => !known.has(keyOf(one)));
  return [...recorded, ...(await insert(db, NEXT, others, lease))];
}

async function insert(
  db: Db,
  statement: { name: string; text: string },
  planned: readonly PlannedDelivery[],
  lease: Omit<DeliveryLease, 'sinceMs'>,
): Promise<RecordedDelivery[]> {
  if (planned.length === 0) return [];
  const { rows } = await db.query<RecordedDelivery>({
    ...statement,
    values: [
      planned.map(({ eventId }) => eventId).join(','),
      planned.map(({ destinationId }) => destinationId).join(','),
      planned.map(({ tenantId }) => tenantId),
      planned.map(({ type }) => type),
      planned.map(({ eventGeneration }) => eventGeneration),
      planned.map(({ reserved }) => reserved),
      lease.token,
      lease.seconds,
      revisionsOf(planned),
    ],
  });
  return rows;
}

/** Null if no event is revised, which is almost always: unnest then gives nulls. */
function revisionsOf(planned: readonly PlannedDelivery[]): (number | null)[] | null {
  return planned.some(({ revision }) => revision !== undefined)
    ? planned.map(({ revision }) => revision ?? null)
    : null;
}

const keyOf = ({ eventId, destinationId }: { eventId: string; destinationId: string }): string =>
  `${eventId} ${destinationId}`;
