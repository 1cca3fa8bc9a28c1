import type { TenantIds } from '../../access/acting-operator';
import type { Db } from '../../db/pool';

/** An event with the request that it came in. `requestJson` is null for an event that came through no source. */
export interface EventWithRequest {
  eventId: string;
  tenantId: string;
  sourceId: string | null;
  /** The request without its body, as JSON text. */
  requestJson: string | null;
  body: Buffer | null;
  /** The body where `body` is null, as JSON text. */
  payloadJson: string | null;
  /** The request was erased, with this event or with another that came in it. */
  isErased: boolean;
}

export async function findEventWithRequest(
  db: Db,
  id: string,
  tenantIds: TenantIds,
): Promise<EventWithRequest | undefined> {
  const { rows } = await db.query<EventWithRequest>(
    `select e.id as "eventId", e.tenant_id as "tenantId", e.source_id as "sourceId", r.request::text as "requestJson", r.body,
            e.payload::text as "payloadJson",
            e.erased_at is not null or r.request ->> 'erased' is not null as "isErased"
       from events e left join received_requests r on r.id = e.request_id
      where e.id = $1 and ($2::text[] is null or e.tenant_id = any ($2))`,
    [id, tenantIds],
  );
  return rows[0];
}
