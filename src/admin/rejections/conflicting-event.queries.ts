import type { Db } from '../../db/pool';
import type { EventContent } from './event-content';

/** Reads what a rejection is compared with; undefined if the event is gone or was erased. */
export async function findContent(db: Db, tenantId: string, id: string): Promise<EventContent | undefined> {
  const { rows } = await db.query<EventContent>(
    `select id, event_id as "eventId", type, subject, partition_key as "partitionKey", occurred_at as "occurredAt",
            received_at as "receivedAt", source, schema_version as "schemaVersion", spec_version as "specVersion",
            payload as "payloadJson", extensions as "extensionsJson"
       from events where id = $1 and tenant_id = $2 and erased_at is null`,
    [id, tenantId],
  );
  return rows[0];
}
