import type { Db } from '../db/pool';
import { CLAIMABLE } from './claim-deliveries.queries';
import type { DeliveryLease, PlannedDelivery, RecordedDelivery } from './delivery';
import { PARKED } from '../db/parked';

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

/** What the text for ordered destinations says in addition. The other one pays nothing for it. */
const ORDERED = {
  input: ', $11::bigint[], $12::bigint[], $13::timestamptz[]',
  names: ', order_key, position, occurred_at',
  place: `case when to_.ordering = 'key' then t.order_key end as key_of_queue,
           case when to_.latest_only then t.occurred_at end as latest_at,`,
  of: ', ordering, latest_only',
  columns: ', order_key, position, occurred_at, supersedable, not_before',
  // What a replay made is delivered however old it is.
  values: `, key_of_queue, case when key_of_queue is not null then position end,
           case when key_of_queue is not null then latest_at end,
           case when key_of_queue is not null and latest_at is not null then event_generation = 1 end,
           case when key_of_queue is not null then held_until end`,
  parked: `when key_of_queue is not null then ${PARKED}`,
  outcome: `when key_of_queue is not null then 'parked'`,
};
const UNORDERED: typeof ORDERED = {
  ...{ input: '', names: '', place: '', of: '', columns: '', values: '', parked: '', outcome: '' },
};

/**
 * Every delivery gets the generation that follows the newest of its event and destination. The text for first deliveries
 * looks nothing up in `deliveries`: such a plan would lock all of its partitions in each settle transaction.
 */
const record = (generation: string, order: typeof ORDERED): string => `
  with planned as materialized (
    select t.*, ${generation} as generation, ${order.place} coalesce(t.reserved and ${CLAIMABLE}, false) as claimable,
           case when before.delivered then 'DELIVERED'
                when to_.enabled is not true then 'SKIPPED'
                when before.refused then 'FAILED'
                else 'OPEN' end as status,
           case when before.delivered then 'PROCESSED'
                when to_.id is null then 'DESTINATION_DELETED'
                when not to_.enabled then 'DESTINATION_DISABLED'
                when before.refused then 'HTTP_4XX' end as reason_code
      from unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::uuid[], $3::text[], $4::text[],
                  $5::integer[], $6::boolean[], $9::integer[], $10::timestamptz[]${order.input})
           as t (event_id, destination_id, tenant_id, type, event_generation, reserved, revision, held_until${order.names})
      left join lateral (select id, enabled, paused_at${order.of} from destinations where id = t.destination_id offset 0) to_ on true
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
    insert into delivery_queue (event_id, destination_id, generation, due_at, lease${order.columns})
    select event_id, destination_id, generation,
           case ${order.parked} when claimable then clock_timestamp() + make_interval(secs => $8)
                                else greatest(now(), held_until) end,
           case when claimable then $7::uuid end${order.values}
      from planned join recorded using (event_id, destination_id)
     where status = 'OPEN'
     order by event_id, destination_id
  )
  select event_id as "eventId", destination_id as "destinationId", generation,
         case when status <> 'OPEN' then 'settled' ${order.outcome} when claimable then 'leased' else 'queued' end as outcome
    from planned join recorded using (event_id, destination_id)`;

const AFTER_NEWEST = `1 + coalesce(${NEWEST}, 0)`;
const FIRST = { name: 'record-first-deliveries', text: record('1', UNORDERED) };
const NEXT = { name: 'record-next-deliveries', text: record(AFTER_NEWEST, UNORDERED) };
const FIRST_ORDERED = { name: 'record-first-ordered-deliveries', text: record('1', ORDERED) };
const NEXT_ORDERED = { name: 'record-next-ordered-deliveries', text: record(AFTER_NEWEST, ORDERED) };

/**
 * Records the deliveries of completed events, in the transaction that completes them (I7), and queues the open ones.
 * One that is held is due later. A reserved delivery gets the lease if its destination may be sent to. The lease begins with this statement, because
 * the transaction may have begun long before. Returns fewer rows than `planned` if another
 * transaction recorded a delivery meanwhile (a backfill); the caller must then roll back. Those of ordered destinations are
 * parked: the caller calls turnKeys.
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
  const isOrdered = planned.some(({ place }) => place !== undefined);
  const recorded = await insert(db, isOrdered ? FIRST_ORDERED : FIRST, first, lease, isOrdered);
  if (recorded.length === planned.length) return recorded;
  const known = new Set(recorded.map(keyOf));
  const others = planned.filter((one) => !known.has(keyOf(one)));
  return [...recorded, ...(await insert(db, isOrdered ? NEXT_ORDERED : NEXT, others, lease, isOrdered))];
}

async function insert(
  db: Db,
  statement: { name: string; text: string },
  planned: readonly PlannedDelivery[],
  lease: Omit<DeliveryLease, 'sinceMs'>,
  isOrdered: boolean,
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
      timesHeld(planned),
      ...(isOrdered ? placesOf(planned) : []),
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

/** Null if none is held, as above. */
function timesHeld(planned: readonly PlannedDelivery[]): (string | null)[] | null {
  return planned.some(({ heldUntilMs }) => heldUntilMs !== undefined)
    ? planned.map(({ heldUntilMs }) => (heldUntilMs === undefined ? null : new Date(heldUntilMs).toISOString()))
    : null;
}

const placesOf = (planned: readonly PlannedDelivery[]): (string | undefined)[][] => [
  planned.map(({ place }) => place?.orderKey),
  planned.map(({ place }) => place?.position),
  planned.map(({ place }) => place?.occurredAt),
];

const keyOf = ({ eventId, destinationId }: { eventId: string; destinationId: string }): string =>
  `${eventId} ${destinationId}`;
