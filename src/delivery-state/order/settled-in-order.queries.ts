import type { Db } from '../../db/pool';
import type { OrderedKey } from '../../event/ordered-key';
import type { DeliveryKey } from '../delivery';

/** A delivery of an ordered destination, after an attempt. */
export interface SettledInOrder extends DeliveryKey, OrderedKey {
  /** A bigint, as text. */
  position: string;
  status: 'DELIVERED' | 'FAILED' | 'OPEN';
  /** Of the event, as text; null if the destination is not `latestOnly`. */
  occurredAt: string | null;
}

/**
 * Notes deliveries that failed for good where that blocks their key. They do so as long as they are FAILED. A note of an
 * earlier failure is locked, because the upkeep of keys may be about to delete it.
 */
export async function noteFailures(db: Db, failed: readonly SettledInOrder[]): Promise<void> {
  if (failed.length === 0) return;
  await db.query({
    name: 'note-ordered-failures',
    text: `
      insert into ordered_failures (event_id, destination_id, generation, tenant_id, order_key, position)
      select t.* from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[])
                        as t (event_id, destination_id, generation, tenant_id, order_key, position)
        join destinations to_ on to_.id = t.destination_id and to_.ordering = 'key' and to_.on_poison = 'block'
       order by t.event_id, t.destination_id, t.generation
      on conflict (event_id, destination_id, generation) do update set position = excluded.position`,
    values: [
      failed.map(({ eventId }) => eventId),
      failed.map(({ destinationId }) => destinationId),
      failed.map(({ generation }) => generation),
      failed.map(({ tenantId }) => tenantId),
      failed.map(({ orderKey }) => orderKey),
      failed.map(({ position }) => position),
    ],
  });
}

/** Notes what `latestOnly` destinations were delivered. The caller has locked the keys. */
export async function rememberLatest(db: Db, delivered: readonly SettledInOrder[]): Promise<void> {
  const latest = delivered.filter(({ status, occurredAt }) => status === 'DELIVERED' && occurredAt !== null);
  if (latest.length === 0) return;
  await db.query({
    name: 'remember-latest',
    text: `
      insert into ordered_latest as m (destination_id, order_key, occurred_at)
      select destination_id, order_key, max(occurred_at)
        from unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) as t (destination_id, order_key, occurred_at)
       group by destination_id, order_key order by destination_id, order_key
      on conflict (destination_id, order_key) do update
            set occurred_at = greatest(m.occurred_at, excluded.occurred_at), updated_at = now()`,
    values: [
      latest.map(({ destinationId }) => destinationId),
      latest.map(({ orderKey }) => orderKey),
      latest.map(({ occurredAt }) => occurredAt),
    ],
  });
}

/** Forgets what was delivered of keys that had no delivery for so long. Returns the number of keys. */
export async function forgetLatest(db: Db, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from ordered_latest where (destination_id, order_key) in (
       select destination_id, order_key from ordered_latest
        where updated_at < now() - make_interval(hours => 24 * $1)
        order by updated_at limit $2 for update skip locked)`,
    [days, limit],
  );
  return rowCount ?? 0;
}
