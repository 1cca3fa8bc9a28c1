import type { Db } from '../../db/pool';
import type { TenantIds } from '../../access/acting-operator';
import type { DeliveryKey } from '../../delivery-state/delivery';
import type { DeliveryAttempt, ListedDelivery } from './deliveries.responses';

/**
 * Finds a delivery of this generation, or the newest, if its event belongs to one of these tenants. Null: any tenant.
 * A delivery without its event, which retention has dropped, is not found.
 */
export async function findDelivery(
  db: Db,
  key: { eventId: string; destinationId: string; generation: number | undefined },
  tenantIds: TenantIds,
): Promise<ListedDelivery | undefined> {
  const { rows } = await db.query<ListedDelivery>(
    `select d.event_id as id, d.tenant_id as "tenantId", e.event_id as "eventId", d.type, e.subject,
            d.destination_id as "destinationId", d.generation, d.status, d.attempts, d.exhausted,
            d.last_reason_code as "lastReasonCode", d.last_status_code as "lastStatusCode",
            d.next_attempt_at as "nextAttemptAt", d.delivered_at as "deliveredAt"
       from events e join delivery_status d on d.event_id = e.id
      where d.event_id = $1 and e.id = $1 and d.destination_id = $2
        and case when $3::integer is null then d.newest else d.generation = $3 end
        and ($4::text[] is null or d.tenant_id = any ($4))`,
    [key.eventId, key.destinationId, key.generation ?? null, tenantIds],
  );
  return rows[0];
}

/** Lists the attempts of a delivery, oldest first. */
export async function listDeliveryAttempts(db: Db, key: DeliveryKey): Promise<DeliveryAttempt[]> {
  const { rows } = await db.query<DeliveryAttempt>(
    `select attempt_number as "attemptNumber", at, reason_code as "reasonCode", status_code as "statusCode",
            duration_ms as "durationMs", response_excerpt as "responseExcerpt"
       from delivery_attempts where event_id = $1 and destination_id = $2 and generation = $3
      order by attempt_number`,
    [key.eventId, key.destinationId, key.generation],
  );
  return rows;
}
