import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';
import { hasSameKey, isFree, isOneOf, isSuperseded, keyOf, keyValues } from './delivery-keys';

/**
 * Discards deliveries for an operator: FAILED ones, and open ones that no worker is sending. Leaves out deliveries that a
 * newer delivery to the same destination has replaced. Returns the deliveries discarded. Their keys go on once keepOrder has
 * looked at them.
 *
 * @arrow OPEN --> DISCARDED
 * @arrow FAILED --> DISCARDED
 */
export async function discardDeliveries(db: Db, keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
  const { rows } = await db.query<DeliveryKey>(
    `with picked as materialized (
       select ${keyOf('d')}, d.status, d.tenant_id from deliveries d
        where ${isOneOf('d')} and d.status in ('OPEN', 'FAILED') and not ${isSuperseded('d')}
        order by ${keyOf('d')} for update
     ), unqueued as (
       delete from delivery_queue q using picked
        where q.event_id = any ($1::uuid[]) and ${hasSameKey('q', 'picked')} and ${isFree('q')}
       returning ${keyOf('q')}, q.order_key
     ), discarded as materialized (
       select ${keyOf('unqueued')} from unqueued union all select ${keyOf('picked')} from picked where status = 'FAILED'
     ), freed as materialized (
       select event_id, order_key from unqueued where order_key is not null
       union all
       select f.event_id, f.order_key from picked join ordered_failures f on ${hasSameKey('f', 'picked')}
     ), changed as (
       insert into changed_keys (tenant_id, order_key)
       select distinct picked.tenant_id, freed.order_key from freed join picked on picked.event_id = freed.event_id
     )
     update deliveries d
        set status = 'DISCARDED', settled_at = now(), failed_at = coalesce(d.failed_at, now())
       from discarded where d.event_id = any ($1::uuid[]) and ${hasSameKey('d', 'discarded')}
     returning d.event_id as "eventId", d.destination_id as "destinationId", d.generation`,
    keyValues(keys),
  );
  return rows;
}
