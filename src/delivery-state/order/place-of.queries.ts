/** The columns of a place in `delivery_queue`. */
export const PLACE_COLUMNS = 'order_key, position, occurred_at';

/**
 * A CTE with the places of the events in $1 at the ordered destinations in $2. A statement names it first: it reads `events`,
 * and retention locks that table before `deliveries`.
 */
export const PLACES = `places as materialized (
       select e.id as event_id, to_.id as destination_id, to_.tenant_id, order_key(e.partition_key) as order_key,
              e.outbox_id as position, case when to_.latest_only then e.occurred_at end as occurred_at
         from (select distinct * from unnest($1::uuid[], $2::uuid[])) as t (event_id, destination_id)
         join destinations to_ on to_.id = t.destination_id and to_.ordering = 'key'
        cross join lateral (
          select id, partition_key, outbox_id, occurred_at from events where id = t.event_id offset 0) e
     )`;

/** The place of a delivery in the CTE `places`, if it has one. */
export const placeOf = (delivery: string): string => `(
  select tenant_id, ${PLACE_COLUMNS} from places
   where places.event_id = ${delivery}.event_id and places.destination_id = ${delivery}.destination_id)`;
