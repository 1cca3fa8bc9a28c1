import { PARKED } from '../../db/parked';
import type { Db } from '../../db/pool';
import { isForType } from '../../db/type-pattern';
import { orderedKeyValues, type OrderedKey } from '../../event/ordered-key';
import { hasSameKey, isFree, isParked, isSuperseded, keyOf } from '../delivery-keys';

/**
 * Locks keys until the transaction ends, in their order. It is the last wait of a transaction: what follows skips rows that
 * others have locked. Returns whether one of the tenants has a `latestOnly` destination.
 */
export async function lockKeys(db: Db, keys: readonly OrderedKey[]): Promise<boolean> {
  const { rows } = await db.query<{ latestOnly: boolean }>({
    name: 'lock-ordered-keys',
    text: `
      with locked as (
        insert into ordered_keys (tenant_id, order_key)
        select distinct tenant_id, order_key from unnest($1::text[], $2::bigint[]) as t (tenant_id, order_key)
         order by tenant_id, order_key
        on conflict (tenant_id, order_key) do update set order_key = excluded.order_key
      )
      select exists (select from destinations
                      where tenant_id = any ($1) and ordering = 'key' and latest_only) as "latestOnly"`,
    values: orderedKeyValues(keys),
  });
  return rows[0]?.latestOnly ?? false;
}

/** Each key with each ordered destination of its tenant, as `g` and `to_`. */
const EACH_DESTINATION = `
  (select distinct tenant_id, order_key from unnest($1::text[], $2::bigint[]) as t (tenant_id, order_key)) g
  cross join lateral (
    select id, on_poison, event_types, latest_only from destinations
     where tenant_id = g.tenant_id and ordering = 'key' offset 0) to_`;

const ofKey = (queue: string): string => `${queue}.destination_id = to_.id and ${queue}.order_key = g.order_key`;

/**
 * Parks the delivery of a key that would be sent next, unless a worker is sending it, if an earlier one has been queued:
 * an operator has retried that one. The caller has locked the keys.
 *
 * @arrow OPEN --> OPEN
 */
export async function parkOvertaking(db: Db, keys: readonly OrderedKey[]): Promise<void> {
  await db.query({
    name: 'park-overtaking-deliveries',
    text: `
      with overtaking as materialized (
        select ${keyOf('head')}
          from ${EACH_DESTINATION}
         cross join lateral (
           select q.event_id, q.destination_id, q.generation, q.position from delivery_queue q
            where ${ofKey('q')} and q.due_at < ${PARKED} and ${isFree('q')} offset 0) head
         where exists (select from delivery_queue q
                        where ${ofKey('q')} and (q.position, q.generation) < (head.position, head.generation))
      ), locked as materialized (
        select ${keyOf('q')} from overtaking join delivery_queue q on ${hasSameKey('q', 'overtaking')}
         where q.due_at < ${PARKED} and ${isFree('q')}
           for update of q skip locked
      )
      update delivery_queue q
         set due_at = ${PARKED}, lease = null, not_before = case when q.due_at > now() then q.due_at end
        from locked where ${hasSameKey('q', 'locked')}`,
    values: orderedKeyValues(keys),
  });
}

/** Deliveries of a key, from the first on, that one statement examines. The others are examined before they are sent. */
export const MOST_SUPERSEDED = 100;

/**
 * Skips deliveries whose event occurred before the newest that a `latestOnly` destination was delivered of their key: of each
 * key at most MOST_SUPERSEDED. Returns their number. The caller has locked the keys.
 *
 * @arrow OPEN --> SKIPPED
 */
export async function skipSuperseded(db: Db, keys: readonly OrderedKey[]): Promise<number> {
  const { rows } = await db.query<{ skipped: number }>({
    name: 'skip-superseded-deliveries',
    text: `
      with old as materialized (
        select ${keyOf('one')}
          from ${EACH_DESTINATION}
          join ordered_latest m on m.destination_id = to_.id and m.order_key = g.order_key
         cross join lateral (
           select q.event_id, q.destination_id, q.generation, q.due_at, q.lease, q.supersedable, q.occurred_at
             from delivery_queue q where ${ofKey('q')}
            order by q.position, q.generation limit ${MOST_SUPERSEDED}) one
         where to_.latest_only and one.supersedable and one.occurred_at < m.occurred_at and ${isFree('one')}
      ), locked as materialized (
        select ${keyOf('d')} from old
          join deliveries d on ${hasSameKey('d', 'old')}
         where d.event_id = any (array(select event_id from old)) and d.status = 'OPEN'
           for update of d skip locked
      ), held as materialized (
        select ${keyOf('q')} from locked join delivery_queue q on ${hasSameKey('q', 'locked')}
         where ${isFree('q')} for update of q skip locked
      ), unqueued as (
        delete from delivery_queue q using held where ${hasSameKey('q', 'held')} returning ${keyOf('q')}
      ), skipped as (
        update deliveries d set status = 'SKIPPED', last_reason_code = 'SUPERSEDED', settled_at = now()
          from unqueued
         where d.event_id = any (array(select event_id from unqueued)) and ${hasSameKey('d', 'unqueued')}
        returning ${keyOf('d')}, d.status, d.last_reason_code
      ), noted as (
        insert into delivery_closings (event_id, destination_id, generation, status, reason_code)
        select ${keyOf('skipped')}, status, last_reason_code from skipped
      )
      select count(*)::integer as skipped from skipped`,
    values: orderedKeyValues(keys),
  });
  return rows[0]?.skipped ?? 0;
}

/**
 * Whether an earlier event of the key has not got through its handlers, and `first` has to wait for it. What the filter of the
 * destination says is not known here, only its types.
 */
const HAS_PENDING = `exists (
  select from ordered_events o
    left join lateral (select status from event_state where event_id = o.event_id offset 0) s on true
   where o.tenant_id = g.tenant_id and o.order_key = g.order_key and o.position < first.position
     and (s.status is null or s.status in ('DISPATCHED', 'RETRYING') or s.status = 'DLQ' and to_.on_poison = 'block')
     and ${isForType('to_', 'o')})`;

/** Whether an earlier delivery of the key has failed for good, and blocks it. */
const HAS_FAILED = `(to_.on_poison = 'block' and exists (
  select from ordered_failures f
   cross join lateral (
     select ${keyOf('x')}, x.status from deliveries x
      where ${hasSameKey('x', 'f')} offset 0) d
   where f.destination_id = to_.id and f.order_key = g.order_key and f.position < first.position
     and d.status = 'FAILED' and not ${isSuperseded('d')}))`;

/**
 * Makes the first delivery of each key due, at each ordered destination, unless one is due, waits for its next try or is
 * being sent, or an earlier event holds it up. Returns the destinations that have one more to be sent. The caller has locked
 * the keys.
 *
 * @arrow OPEN --> OPEN
 */
export async function unparkFirst(db: Db, keys: readonly OrderedKey[]): Promise<string[]> {
  const { rows } = await db.query<{ destinationId: string }>({
    name: 'unpark-first-deliveries',
    text: `
      with next as materialized (
        select ${keyOf('first')}
          from ${EACH_DESTINATION}
         cross join lateral (
           select q.event_id, q.destination_id, q.generation, q.position, q.due_at from delivery_queue q
            where ${ofKey('q')} order by q.position, q.generation limit 1) first
         where ${isParked('first')}
           and not exists (select from delivery_queue q where ${ofKey('q')} and q.due_at < ${PARKED})
           and not ${HAS_PENDING}
           and not ${HAS_FAILED}
      ), locked as materialized (
        select ${keyOf('q')} from next join delivery_queue q on ${hasSameKey('q', 'next')}
         where ${isParked('q')} for update of q skip locked
      )
      update delivery_queue q set due_at = greatest(now(), q.not_before), not_before = null
        from locked where ${hasSameKey('q', 'locked')}
      returning q.destination_id as "destinationId"`,
    values: orderedKeyValues(keys),
  });
  return [...new Set(rows.map(({ destinationId }) => destinationId))];
}

/** Forgets keys of which no delivery is queued, whatever its destination is now, and no handler waits. The caller has locked them. */
export async function forgetIdleKeys(db: Db, keys: readonly OrderedKey[]): Promise<void> {
  await db.query({
    name: 'forget-idle-keys',
    text: `
      delete from ordered_keys k
       using (select distinct tenant_id, order_key from unnest($1::text[], $2::bigint[]) as t (tenant_id, order_key)) g
       where k.tenant_id = g.tenant_id and k.order_key = g.order_key
         and not exists (select from ordered_events o
                          where o.tenant_id = g.tenant_id and o.order_key = g.order_key and o.on_poison is not null)
         and not exists (
           select from destinations to_
             join lateral (select from delivery_queue q where ${ofKey('q')} limit 1) queued on true
            where to_.tenant_id = g.tenant_id)`,
    values: orderedKeyValues(keys),
  });
}
