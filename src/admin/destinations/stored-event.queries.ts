import type { Db } from '../../db/pool';
import type { RevisedEvent } from '../../revisions/revised-event';
import { withRevisions } from '../../revisions/with-revisions';

const selectEvent = (more = ''): string => `
  select ${more} id, tenant_id as "tenantId", event_id as "eventId", type, subject, partition_key as "partitionKey",
         occurred_at as "occurredAt", received_at as "receivedAt", payload::text as "payloadJson",
         extensions::text as "extensionsJson", source, source_id as "sourceId", schema_version as "schemaVersion",
         spec_version as "specVersion", encode(hash, 'hex') as hash, correlation_id as "correlationId", traceparent,
         size_bytes as "sizeBytes", (select s.revision from event_state s where s.event_id = events.id) as revision
    from events`;

type ErasableEvent = RevisedEvent & { erased: boolean };
const selectErasable = selectEvent('erased_at is not null as erased,');

/** Finds an event with its newest payload. */
export async function findStoredEvent(
  db: Db,
  tenantId: string,
  id: string,
): Promise<RevisedEvent | 'erased' | undefined> {
  const { rows } = await db.query<ErasableEvent>(`${selectErasable} where tenant_id = $1 and id = $2`, [tenantId, id]);
  return newestPayloadOf(db, rows);
}

/** Finds the newest event with the producer's eventId that is not erased. Returns `erased` if all of them are. */
export async function findStoredEventByEventId(
  db: Db,
  tenantId: string,
  eventId: string,
): Promise<RevisedEvent | 'erased' | undefined> {
  const { rows } = await db.query<ErasableEvent>(
    `${selectErasable} where tenant_id = $1 and event_id = $2 order by erased_at is not null, id desc limit 1`,
    [tenantId, eventId],
  );
  return newestPayloadOf(db, rows);
}

async function newestPayloadOf(db: Db, [row]: readonly ErasableEvent[]): Promise<RevisedEvent | 'erased' | undefined> {
  if (!row) return undefined;
  const { erased, ...event } = row;
  return erased ? 'erased' : (await withRevisions(db, [event])).found[0];
}

/** Lists events by their ids with their newest payloads, oldest first. */
export async function listStoredEvents(db: Db, ids: readonly string[]): Promise<RevisedEvent[]> {
  const { rows } = await db.query<RevisedEvent>(`${selectEvent()} where id = any ($1::uuid[]) order by id`, [ids]);
  return (await withRevisions(db, rows)).found;
}
