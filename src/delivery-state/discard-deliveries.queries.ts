import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';
import { hasSameKey, isFree, isOneOf, isSuperseded, keyOf, keyValues } from './delivery-keys';

/**
 * Discards deliveries for an operator: FAILED ones, and open ones that no worker is sending. Leaves out deliveries that a
 * newer delivery to the same destination has replaced. Returns the number of deliveries discarded.
 *
 * The queue is locked before the deliveries (hence the count in `failed`), as by a worker that settles them.
 *
 * @arrow OPEN --> DISCARDED
 * @arrow FAILED --> DISCARDED
 */
export async function discardDeliveries(db: Db, keys: readonly DeliveryKey[]): Promise<number> {
  const { rowCount } = await db.query(
    `with waiting as (
       select ${keyOf('q')} from delivery_queue q
        where ${isOneOf('q')} and ${isFree('q')} and not ${isSuperseded('q')}
        order by ${keyOf('q')} for update
     ), unqueued as (
       delete from delivery_queue q using waiting
        where q.event_id = any ($1::uuid[]) and ${hasSameKey('q', 'waiting')} returning ${keyOf('q')}
     ), failed as (
       select ${keyOf('d')} from deliveries d
        where ${isOneOf('d')} and d.status = 'FAILED' and not ${isSuperseded('d')}
          and (select count(*) from unqueued) >= 0
        order by ${keyOf('d')} for update
     ), picked as (
       select * from unqueued union all select * from failed
     )
     update deliveries d
        set status = 'DISCARDED', settled_at = now(), failed_at = coalesce(d.failed_at, now())
       from picked where d.event_id = any ($1::uuid[]) and ${hasSameKey('d', 'picked')}`,
    keyValues(keys),
  );
  return rowCount ?? 0;
}
