import type { Db } from '../../db/pool';
import { orderedKeyValues, type OrderedKey } from '../../event/ordered-key';
import { hasSameKey, isParked, isSuperseded, keyOf } from '../delivery-keys';

/** Takes keys that operators have changed, oldest first. */
export async function takeChangedKeys(db: Db, limit: number): Promise<OrderedKey[]> {
  const { rows } = await db.query<OrderedKey>({
    name: 'take-changed-keys',
    text: `
      delete from changed_keys
       where id = any (array(select id from changed_keys order by id limit $1 for update skip locked))
      returning tenant_id as "tenantId", order_key as "orderKey"`,
    values: [limit],
  });
  return rows;
}

/** Takes keys that have not been looked at for so long, the longest first. Leaves out those that others have locked. */
export async function takeUncheckedKeys(db: Db, olderThanSeconds: number, limit: number): Promise<OrderedKey[]> {
  const { rows } = await db.query<OrderedKey>({
    name: 'take-unchecked-keys',
    text: `
      with old as materialized (
        select tenant_id, order_key from ordered_keys where checked_at < now() - make_interval(secs => $1)
         order by checked_at limit $2 for update skip locked
      )
      update ordered_keys k set checked_at = now() from old
       where k.tenant_id = old.tenant_id and k.order_key = old.order_key
      returning k.tenant_id as "tenantId", k.order_key as "orderKey"`,
    values: [olderThanSeconds, limit],
  });
  return rows;
}

/** Forgets failures of these keys that block nothing any more: the delivery was retried, discarded or replaced. */
export async function forgetEndedFailures(db: Db, keys: readonly OrderedKey[]): Promise<void> {
  await db.query({
    name: 'forget-ended-failures',
    text: `
      with ended as materialized (
        select ${keyOf('f')}
          from unnest($1::text[], $2::bigint[]) as g (tenant_id, order_key)
         cross join lateral (select id from destinations where tenant_id = g.tenant_id and ordering = 'key' offset 0) to_
          join ordered_failures f on f.destination_id = to_.id and f.order_key = g.order_key
         where not exists (select from deliveries d
                            where ${hasSameKey('d', 'f')} and d.status = 'FAILED' and not ${isSuperseded('d')})
           for update of f skip locked
      )
      delete from ordered_failures f using ended where ${hasSameKey('f', 'ended')}`,
    values: orderedKeyValues(keys),
  });
}

/**
 * Takes deliveries out of the order of a destination that is not ordered any more: they are due at once. Leaves out rows that
 * others have locked. Returns their number.
 *
 * @arrow OPEN --> OPEN
 */
export async function releaseUnordered(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'release-unordered-deliveries',
    text: `
      with recursive keyed (id) as (
        (select q.destination_id from delivery_queue q where q.order_key is not null
          order by q.destination_id limit 1)
        union all
        select (select q.destination_id from delivery_queue q
                 where q.order_key is not null and q.destination_id > keyed.id order by q.destination_id limit 1)
          from keyed where keyed.id is not null
      ), chosen as materialized (
        select ${keyOf('queued')}
          from keyed
          join destinations to_ on to_.id = keyed.id and to_.ordering = 'none'
         cross join lateral (
           select q.event_id, q.destination_id, q.generation from delivery_queue q
            where q.destination_id = keyed.id and q.order_key is not null
            order by q.order_key, q.position limit $1 for update skip locked) queued
         limit $1
      )
      update delivery_queue q
         set due_at = case when ${isParked('q')} then greatest(now(), q.not_before) else q.due_at end, order_key = null,
             position = null, not_before = null, occurred_at = null, supersedable = null
        from chosen where ${hasSameKey('q', 'chosen')}`,
    values: [limit],
  });
  return rowCount ?? 0;
}
