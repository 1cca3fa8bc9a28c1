import { PARKED } from '../db/parked';
import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';
import { hasSameKey, isFree, isOneOf, isSuperseded, keyOf, keyValues } from './delivery-keys';
import { PLACE_COLUMNS, PLACES, placeOf } from './order/place-of.queries';

/**
 * Opens deliveries again for an operator. They are due at once and have the whole retry schedule before them; `attempts`
 * goes on counting. Leaves out deliveries that are neither FAILED nor DISCARDED, that a newer delivery to the same
 * destination has replaced, whose destination is disabled or deleted, or whose event is with its handlers again, which
 * makes new deliveries. Returns the deliveries opened. Those of ordered destinations are parked until keepOrder looks at
 * them.
 *
 * @arrow FAILED --> OPEN
 * @arrow DISCARDED --> OPEN
 */
export async function reopenDeliveries(db: Db, keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
  const { rows } = await db.query<DeliveryKey>(
    `with ${PLACES}, picked as (
       select ${keyOf('d')} from deliveries d
        where ${isOneOf('d')} and d.status in ('FAILED', 'DISCARDED') and not ${isSuperseded('d')}
          and exists (select from destinations t where t.id = d.destination_id and t.enabled)
          and not exists (select from event_state s where s.event_id = d.event_id and s.status <> 'COMPLETED')
        order by ${keyOf('d')} for update
     ), opened as (
       update deliveries d
          set status = 'OPEN', tries = 0, exhausted = false, settled_at = null, failed_at = null
         from picked where d.event_id = any ($1::uuid[]) and ${hasSameKey('d', 'picked')}
       returning ${keyOf('d')}, d.replay_id
     ), placed as materialized (
       select opened.*, place.* from opened left join lateral ${placeOf('opened')} place on true
     ), changed as (
       insert into changed_keys (tenant_id, order_key)
       select distinct tenant_id, order_key from placed where order_key is not null
     )
     insert into delivery_queue (event_id, destination_id, generation, replay_id, due_at, ${PLACE_COLUMNS}, supersedable)
     select ${keyOf('placed')}, replay_id, case when order_key is null then now() else ${PARKED} end, ${PLACE_COLUMNS},
            occurred_at is not null and replay_id is null and generation = 1
       from placed order by ${keyOf('placed')}
     returning event_id as "eventId", destination_id as "destinationId", generation`,
    keyValues(keys),
  );
  return rows;
}

/**
 * Makes deliveries that wait for their next try due at once. They remain RETRYING, and the try counts as any other.
 * Leaves out deliveries that a worker is sending or about to send. Returns those that were not due yet.
 */
export async function hurryDeliveries(db: Db, keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
  const { rows } = await db.query<DeliveryKey>(
    `with waiting as (
       select ${keyOf('q')} from delivery_queue q
        where ${isOneOf('q')} and ${isFree('q')} and q.due_at > now() and q.due_at < ${PARKED}
          for update skip locked
     )
     update delivery_queue q set due_at = now() from waiting
      where q.event_id = any ($1::uuid[]) and ${hasSameKey('q', 'waiting')}
     returning q.event_id as "eventId", q.destination_id as "destinationId", q.generation`,
    keyValues(keys),
  );
  return rows;
}

/** What became of the open deliveries of an event, and its newest deliveries that have failed. */
export interface RevisedDeliveries {
  /** A worker is sending one. It may get the event as it was, so the caller must roll back. */
  underWay: boolean;
  failed: DeliveryKey[];
}

/**
 * Lets the newest deliveries of an event carry a revision, unless they are DELIVERED or SKIPPED. The row of the queue
 * names it too: a claim whose snapshot is older reads that row once it has locked it. A worker whose lease has expired
 * loses it here, so what it writes later about the payload before is no attempt of this revision.
 */
export async function reviseDeliveries(db: Db, eventId: string, revision: number): Promise<RevisedDeliveries> {
  const { rows } = await db.query<DeliveryKey & { status: string; queued: boolean }>(
    `with locked as materialized (
       select ${keyOf('d')}, d.status from deliveries d
        where d.event_id = $1 and d.status in ('OPEN', 'FAILED', 'DISCARDED') and not ${isSuperseded('d')}
        order by ${keyOf('d')} for update
     ), revised as (
       update deliveries d set revision = $2 from locked where d.event_id = $1 and ${hasSameKey('d', 'locked')}
     ), queued as (
       update delivery_queue q set revision = $2, lease = null from locked
        where q.event_id = $1 and ${hasSameKey('q', 'locked')} and ${isFree('q')}
       returning ${keyOf('q')}
     )
     select locked.event_id as "eventId", locked.destination_id as "destinationId", locked.generation, locked.status,
            queued.event_id is not null as queued
       from locked left join queued on ${hasSameKey('queued', 'locked')}`,
    [eventId, revision],
  );
  return {
    underWay: rows.some(({ status, queued }) => status === 'OPEN' && !queued),
    failed: rows
      .filter(({ status }) => status === 'FAILED')
      .map(({ destinationId, generation }) => ({ eventId, destinationId, generation })),
  };
}
