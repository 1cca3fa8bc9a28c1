import type { Db } from '../../db/pool';
import { isForType } from '../../db/type-pattern';
import { orderedKeyValues, type OrderedKey } from '../../event/ordered-key';

/** The key of an event that was noted. */
export interface KeyOfEvent extends OrderedKey {
  /** A handler takes it in order. */
  byHandler: boolean;
}

/**
 * Forgets events whose handlers are done, in the transaction that completes them: their deliveries are recorded, and later
 * events of their keys wait for these instead. Returns the keys of those that were known.
 */
export async function forgetOrderedEvents(db: Db, eventIds: readonly string[]): Promise<KeyOfEvent[]> {
  const { rows } = await db.query<KeyOfEvent>({
    name: 'forget-ordered-events',
    text: `
      delete from ordered_events where event_id = any (array(
        select event_id from ordered_events where event_id = any ($1::uuid[]) order by event_id for update))
      returning tenant_id as "tenantId", order_key as "orderKey", on_poison is not null as "byHandler"`,
    values: [eventIds],
  });
  return rows;
}

/**
 * Forgets events of tenants that have no ordered destination any more, unless a handler takes them in order. Looks at the
 * first `limit` of each tenant. Returns the number of forgotten events.
 */
export async function forgetUnordered(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'forget-unordered-events',
    text: `
      with recursive tenant (id) as (
        (select tenant_id from ordered_events order by tenant_id limit 1)
        union all
        select (select o.tenant_id from ordered_events o where o.tenant_id > tenant.id order by o.tenant_id limit 1)
          from tenant where tenant.id is not null
      ), unordered as materialized (
        select id from tenant
         where not exists (select from destinations d where d.tenant_id = tenant.id and d.ordering = 'key')
      )
      delete from ordered_events where event_id = any (array(
        select first.event_id
          from unordered
         cross join lateral (
           select event_id, on_poison from ordered_events o
            where o.tenant_id = unordered.id order by o.order_key, o.position limit $1 for update skip locked) first
         where first.on_poison is null
         limit $1))`,
    values: [limit],
  });
  return rowCount ?? 0;
}

/** Events of one key that a look at it examines. Those after them wait for the first of these. */
const MOST_EXAMINED = 100;

/**
 * Forgets events of these keys that nobody waits for: whoever settled them has not done so. That is a worker of the build
 * before, or one that had not read yet that the tenant has an ordered destination; or the event was discarded or removed, or
 * is a dead letter that blocks no destination and no handler.
 */
export async function forgetSettledEvents(db: Db, keys: readonly OrderedKey[]): Promise<void> {
  await db.query({
    name: 'forget-settled-ordered-events',
    text: `
      delete from ordered_events where event_id = any (array(
        select o.event_id
          from unnest($1::text[], $2::bigint[]) as g (tenant_id, order_key)
         cross join lateral (
           select event_id, tenant_id, type, on_poison from ordered_events
            where tenant_id = g.tenant_id and order_key = g.order_key
            order by position limit ${MOST_EXAMINED} for update skip locked) o
          left join lateral (select status from event_state where event_id = o.event_id offset 0) s on true
         where s.status in ('COMPLETED', 'DISCARDED')
            or s.status = 'DLQ' and o.on_poison is distinct from 'block'
               and not exists (select from destinations d
                                where d.tenant_id = o.tenant_id and d.ordering = 'key' and d.on_poison = 'block'
                                  and ${isForType('d', 'o')})
            or s.status is null
               and (exists (select from processing_attempts a
                             where a.event_id = o.event_id and a.generation = 1 and a.status = 'SUCCESS')
                    or not exists (select from events e where e.id = o.event_id))))`,
    values: orderedKeyValues(keys),
  });
}
