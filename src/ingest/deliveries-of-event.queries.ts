import type { Db } from '../db/pool';
import type { DeliveryStatus } from '../delivery-state/delivery';

export interface DeliveryOfEvent {
  destinationId: string;
  generation: number;
  status: DeliveryStatus;
  attempts: number;
  exhausted: boolean;
  lastReasonCode: string | null;
  lastStatusCode: number | null;
  nextAttemptAt: string | null;
  deliveredAt: string | null;
}

/** Lists the newest delivery of an event to each destination, in the order in which the destinations were created. */
export async function listDeliveriesOf(db: Db, eventId: string): Promise<DeliveryOfEvent[]> {
  const { rows } = await db.query<DeliveryOfEvent>({
    name: 'list-deliveries-of-event',
    text: `select destination_id as "destinationId", generation, status, attempts, exhausted,
            last_reason_code as "lastReasonCode", last_status_code as "lastStatusCode",
            next_attempt_at as "nextAttemptAt", delivered_at as "deliveredAt"
       from delivery_status where event_id = $1 and newest order by destination_id`,
    values: [eventId],
  });
  return rows;
}
