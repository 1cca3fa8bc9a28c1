import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import { revisedEventJson, type RevisedEvent } from '../revisions/revised-event';
import { withRevisions } from '../revisions/with-revisions';

type Row = RevisedEvent & Pick<DispatchedEvent, 'dispatchNo' | 'generation'>;

/**
 * Returns, by event id, the current dispatch of each event, with everything as it is stored. An event without a state
 * waits for its first dispatch until it has succeeded. Events that are not stored or wait for no dispatch are left out.
 */
export async function readCurrentDispatches(
  db: Db,
  eventIds: readonly string[],
): Promise<Map<string, DispatchedEvent>> {
  const { rows } = await db.query<Row>({
    name: 'read-current-dispatches',
    text: `
      select e.id, e.tenant_id as "tenantId", e.event_id as "eventId", e.type, e.subject,
             e.partition_key as "partitionKey", e.occurred_at as "occurredAt", e.received_at as "receivedAt",
             e.payload as "payloadJson", e.extensions as "extensionsJson", e.source, e.schema_version as "schemaVersion",
             e.spec_version as "specVersion", encode(e.hash, 'hex') as hash, e.correlation_id as "correlationId",
             e.traceparent, e.size_bytes as "sizeBytes", e.source_id as "sourceId",
             coalesce(s.dispatch_no, 1) as "dispatchNo", coalesce(s.generation, 1) as generation, s.revision
        from unnest($1::uuid[]) as asked (id)
       cross join lateral (select * from events where events.id = asked.id offset 0) e
        left join lateral (select * from event_state where event_id = asked.id offset 0) s on true
       where s.status = 'DISPATCHED'
          or s.event_id is null and not exists (
               select from processing_attempts a where a.event_id = asked.id and a.generation = 1 and a.status = 'SUCCESS')`,
    values: [[...new Set(eventIds)]],
  });
  const { found } = await withRevisions(db, rows);
  return new Map(found.map((row) => [row.id, dispatchedEvent(row)]));
}

/** Returns which of the events are stored. */
export async function readStoredIds(db: Db, eventIds: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>({
    name: 'read-stored-ids',
    text: `select e.id from unnest($1::uuid[]) as asked (id)
            cross join lateral (select id from events where events.id = asked.id offset 0) e`,
    values: [[...new Set(eventIds)]],
  });
  return new Set(rows.map(({ id }) => id));
}

function dispatchedEvent(row: Row): DispatchedEvent {
  const { id, tenantId, type, receivedAt, sizeBytes, correlationId, traceparent, dispatchNo, generation } = row;
  return {
    ...{ id, tenantId, type, receivedAt, sizeBytes, correlationId, dispatchNo, generation },
    ...(traceparent ? { traceparent } : {}),
    revision: row.revision ?? undefined,
    body: Buffer.from(revisedEventJson(row)),
  };
}
