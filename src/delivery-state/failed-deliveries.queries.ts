import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';
import { isSuperseded, keyOf } from './delivery-keys';

/** Returns the FAILED deliveries of these events, without those that a newer generation has replaced. */
export async function listFailedDeliveries(db: Db, eventIds: readonly string[]): Promise<DeliveryKey[]> {
  const { rows } = await db.query<DeliveryKey>(
    `select d.event_id as "eventId", d.destination_id as "destinationId", d.generation
       from deliveries d
      where d.event_id = any ($1::uuid[]) and d.status = 'FAILED' and not ${isSuperseded('d')}
      order by ${keyOf('d')}`,
    [eventIds],
  );
  return rows;
}

const FAILED_CAP = 10_000;

/** Counts the FAILED deliveries that nothing has replaced, among the newest FAILED_CAP that failed or were discarded. */
export async function countFailedDeliveries(db: Db): Promise<number> {
  const { rows } = await db.query<{ failed: number }>({
    name: 'count-failed-deliveries',
    text: `
      select count(*)::integer as failed
        from (select * from deliveries where failed_at is not null order by event_id desc limit $1) d
       where d.status = 'FAILED' and not ${isSuperseded('d')}`,
    values: [FAILED_CAP],
  });
  return rows[0]?.failed ?? 0;
}
