import type { Pool } from 'pg';
import type { OrderPlace } from '../delivery';

/** Returns the places of stored events by event id. They never change, so this needs no lock. */
export async function readPlaces(pool: Pool, eventIds: readonly string[]): Promise<Map<string, OrderPlace>> {
  const { rows } = await pool.query<OrderPlace & { id: string }>({
    name: 'read-places',
    text: `
      select e.id, order_key(e.partition_key) as "orderKey", e.outbox_id as position, e.occurred_at::text as "occurredAt"
        from unnest($1::uuid[]) as asked (id)
       cross join lateral (select id, partition_key, outbox_id, occurred_at from events where id = asked.id offset 0) e`,
    values: [eventIds],
  });
  return new Map(rows.map(({ id, ...place }) => [id, place]));
}
