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
