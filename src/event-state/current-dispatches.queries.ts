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

/** Where a stored event stands. */
export interface DispatchState {
  id: string;
  /** Whether it waits for the dispatch that is named here. */
  waits: boolean;
  dispatchNo: number;
  generation: number;
  /** The newest revision; null: as it was sent. */
  revision: number | null;
  erased: boolean;
}

/**
 * Returns, by event id, where the events stand, without reading payloads: after a restart of PostgreSQL, this is asked
 * for every message that waits in the broker. Events that are not stored are left out.
 */
export async function readDispatchStates(db: Db, eventIds: readonly string[]): Promise<Map<string, DispatchState>> {
  const { rows } = await db.query<DispatchState>({
    name: 'read-dispatch-states',
    text: `
      select e.id, e.erased, coalesce(s.dispatch_no, 1) as "dispatchNo", coalesce(s.generation, 1) as generation, s.revision,
             case when s.event_id is not null then s.status = 'DISPATCHED'
                  else not exists (
                    select from processing_attempts a
                     where a.event_id = asked.id and a.generation = 1 and a.status = 'SUCCESS') end as waits
        from unnest($1::uuid[]) as asked (id)
       cross join lateral (
         select id, erased_at is not null as erased from events where events.id = asked.id offset 0) e
        left join lateral (select * from event_state where event_id = asked.id offset 0) s on true`,
    values: [[...new Set(eventIds)]],
  });
  return new Map(rows.map((row) => [row.id, row]));
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
