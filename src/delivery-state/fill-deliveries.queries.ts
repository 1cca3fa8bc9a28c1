import { ADVISORY_LOCKS, shareTransactionLock, STORED_PAYLOADS_WAIT_MS } from '../db/advisory-locks';
import type { Db } from '../db/pool';
import { PARKED } from '../db/parked';

/** Why a backfill or a replay makes no delivery of an event. `in-process`: its handlers have not succeeded. */
export type FillSkip = 'gone' | 'erased' | 'in-process' | 'delivering' | 'delivered' | 'moved-on';

export interface FillOrder {
  replayId: string;
  destinationId: string;
  eventIds: readonly string[];
  /** When the first delivery is due, RFC 3339; null: now. */
  dueAt: string | null;
  ratePerSecond: number;
  /** Whether events that have arrived are delivered once more. */
  deliveredToo: boolean;
}

/** An event of a backfill. `reason` is null if it got a delivery. */
export interface FilledEvent {
  eventId: string;
  reason: FillSkip | null;
}

/**
 * Makes deliveries of stored events to one destination, each of a new generation, due one after another. Leaves out
 * events whose newest delivery to it is open, or DELIVERED unless `deliveredToo` is set. Events whose handlers have not
 * succeeded are left to the transaction that settles them. An event that gets a delivery meanwhile is left out too, by
 * its primary key. Deliveries to an ordered destination are parked until keepOrder looks at them, and are due at the same
 * times as others, or later. No event is erased between this statement and the end of the caller's transaction.
 *
 * @arrow [*] --> OPEN
 */
export async function fillDeliveries(db: Db, order: FillOrder): Promise<FilledEvent[]> {
  const { replayId, destinationId, eventIds, dueAt, ratePerSecond, deliveredToo } = order;
  await shareTransactionLock(db, ADVISORY_LOCKS.storedPayloads, STORED_PAYLOADS_WAIT_MS);
  const { rows } = await db.query<FilledEvent>(
    `with assessed as materialized (
       select wanted.id, e.tenant_id, e.type, coalesce(newest.generation, 0) + 1 as generation,
              s.revision, case when to_.ordering = 'key' then order_key(e.partition_key) end as order_key, e.outbox_id,
              case when to_.ordering = 'key' and to_.latest_only then e.occurred_at end as occurred_at,
              case when e.id is null then 'gone' when e.erased_at is not null then 'erased' when done.yes is null then 'in-process'
                   when newest.status = 'OPEN' then 'delivering'
                   when newest.status = 'DELIVERED' and not $6 then 'delivered' end as reason
         from unnest($1::uuid[]) as wanted (id)
         left join lateral (
           select id, tenant_id, type, erased_at, partition_key, outbox_id, occurred_at from events where id = wanted.id limit 1
         ) e on true
         left join destinations to_ on to_.id = $2
         left join event_state s on s.event_id = wanted.id
         left join lateral (
           select true as yes from processing_attempts a
            where a.event_id = wanted.id and a.generation = coalesce(s.generation, 1) and a.status = 'SUCCESS' limit 1
         ) done on true
         left join lateral (
           select d.generation, d.status from deliveries d
            where d.event_id = wanted.id and d.destination_id = $2 order by d.generation desc limit 1
         ) newest on true
     ), filled as (
       insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, replay_id, revision)
       select id, $2, generation, tenant_id, type, 'OPEN', $3, revision from assessed where reason is null order by id
       on conflict (event_id, destination_id, generation) do nothing
       returning event_id, generation
     ), timed as materialized (
       select filled.*, a.tenant_id, a.order_key, a.outbox_id, a.occurred_at,
              coalesce($4::timestamptz, now())
                + make_interval(secs => (row_number() over (order by event_id) - 1) / $5::float8) as due_at
         from filled join assessed a on a.id = filled.event_id
     ), queued as (
       insert into delivery_queue (event_id, destination_id, generation, due_at, replay_id, not_before, order_key, position,
                                   occurred_at)
       select event_id, $2, generation, case when order_key is null then due_at else ${PARKED} end, $3,
              case when order_key is not null then due_at end, order_key,
              case when order_key is not null then outbox_id end, occurred_at
         from timed order by event_id
     ), changed as (
       insert into changed_keys (tenant_id, order_key)
       select distinct tenant_id, order_key from timed where order_key is not null
     )
     select a.id as "eventId", coalesce(a.reason, case when f.event_id is null then 'moved-on' end) as reason
       from assessed a left join filled f on f.event_id = a.id order by a.id`,
    [eventIds, destinationId, replayId, dueAt, ratePerSecond, deliveredToo],
  );
  return rows;
}
