import type { Db } from '../../db/pool';
import type { RevisedEvent } from '../../revisions/revised-event';
import { withRevisions } from '../../revisions/with-revisions';

const SELECT_EVENT = `
  select id, tenant_id as "tenantId", event_id as "eventId", type, subject, partition_key as "partitionKey",
         occurred_at as "occurredAt", received_at as "receivedAt", payload::text as "payloadJson",
         extensions::text as "extensionsJson", source, source_id as "sourceId", schema_version as "schemaVersion",
         spec_version as "specVersion", encode(hash, 'hex') as hash, correlation_id as "correlationId", traceparent,
         size_bytes as "sizeBytes", (select s.revision from event_state s where s.event_id = events.id) as revision
    from events`;

/** Finds an event that is not erased, with its newest payload. */
export async function findStoredEvent(db: Db, tenantId: string, id: string): Promise<RevisedEvent | undefined> {
  const { rows } = await db.query<RevisedEvent>(
    `${SELECT_EVENT} where tenant_id = $1 and id = $2 and erased_at is null`,
    [tenantId, id],
  );
  return (await withRevisions(db, rows)).found[0];
}

/** Finds the newest event with the producer's eventId that is not erased. */
export async function findStoredEventByEventId(
  db: Db,
  tenantId: string,
  eventId: string,
): Promise<RevisedEvent | undefined> {
  const { rows } = await db.query<RevisedEvent>(
    `${SELECT_EVENT} where tenant_id = $1 and event_id = $2 and erased_at is null order by id desc limit 1`,
    [tenantId, eventId],
  );
  return (await withRevisions(db, rows)).found[0];
}

/** Lists events by their ids with their newest payloads, oldest first. */
export async function listStoredEvents(db: Db, ids: readonly string[]): Promise<RevisedEvent[]> {
  const { rows } = await db.query<RevisedEvent>(`${SELECT_EVENT} where id = any ($1::uuid[]) order by id`, [ids]);
  return (await withRevisions(db, rows)).found;
}
