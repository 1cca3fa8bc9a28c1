import type { TenantScope } from '../access/tenant-scope';
import type { Db } from '../db/pool';
import type { Event } from '../event/event';
import type { AttemptStatus, EventStatus } from '../event/event-status';

export interface EventWithStatus extends Event {
  status: EventStatus;
  nextAttemptAt: string | null;
  lastError: string | null;
  publishedAt: string | null;
  completedAt: string | null;
  /** When the payload was erased; null if it was not. */
  erasedAt: string | null;
  /** The request of a source with which the event came; null if it came through none. */
  requestId: string | null;
  /** The number of its newest revision; null if it has none. */
  revision: number | null;
}

/** How the request was verified with which an event came through a source. */
export interface EventVerification {
  source: string;
  provider: string;
  keyHint: string | null;
}

/** Returns undefined for a request that nothing verified. A source that is deleted is named as its events are. */
export async function findVerification(
  db: Db,
  { requestId, source }: Pick<EventWithStatus, 'requestId' | 'source'>,
): Promise<EventVerification | undefined> {
  const { rows } = await db.query<EventVerification>(
    `select coalesce((select name from sources where id = r.source_id), $2) as source,
            r.request ->> 'provider' as provider, r.request ->> 'keyHint' as "keyHint"
       from received_requests r where r.id = $1 and r.request ->> 'scheme' <> 'none'`,
    [requestId, source],
  );
  return rows[0];
}

const SELECT_EVENT = `
  select e.id, e.tenant_id as "tenantId", e.event_id as "eventId", e.type, e.subject, e.partition_key as "partitionKey",
         e.occurred_at as "occurredAt", e.received_at as "receivedAt", e.payload as "payloadJson",
         e.extensions as "extensionsJson", e.source, e.source_id as "sourceId",
         e.schema_version as "schemaVersion", e.spec_version as "specVersion", encode(e.hash, 'hex') as hash,
         e.correlation_id as "correlationId", e.traceparent, e.size_bytes as "sizeBytes",
         s.status, s.next_attempt_at as "nextAttemptAt", s.last_error as "lastError",
         s.published_at as "publishedAt", s.completed_at as "completedAt", e.request_id as "requestId", e.erased_at as "erasedAt",
         (select state.revision from event_state state where state.event_id = e.id) as revision
    from events e join event_status s on s.event_id = e.id`;

/**
 * Finds an event by its id, in the given tenant, in one of several, or in any. Statements that look events up by id have
 * names, because planning the view takes several times as long as reading one event.
 */
export async function findEventById(
  db: Db,
  { tenantId, tenantIds }: TenantScope,
  id: string,
): Promise<EventWithStatus | undefined> {
  const { rows } = await db.query<EventWithStatus>({
    name: 'find-event-by-id',
    text: `${SELECT_EVENT} where e.id = $1 and ($2::text is null or e.tenant_id = $2)
       and ($3::text[] is null or e.tenant_id = any ($3))`,
    values: [id, tenantId, tenantIds],
  });
  return rows[0];
}

/** What an eventId names: some events of a tenant, or those of one `source`. */
export interface EventIdQuery {
  tenantId: string;
  eventId: string;
  source: string | undefined;
}

const BY_EVENT_ID = 'e.tenant_id = $1 and e.event_id = $2 and ($3::text is null or e.source = $3)';
const eventIdValues = ({ tenantId, eventId, source }: EventIdQuery): unknown[] => [tenantId, eventId, source ?? null];

/**
 * Finds the newest event with the producer's eventId. There may be several: of CloudEvents from different sources, and
 * once retention has dropped the key, an eventId can be used again.
 */
export async function findEventByEventId(db: Db, query: EventIdQuery): Promise<EventWithStatus | undefined> {
  const { rows } = await db.query<EventWithStatus>(
    `${SELECT_EVENT} where ${BY_EVENT_ID} order by e.id desc limit 1`,
    eventIdValues(query),
  );
  return rows[0];
}

export interface OtherEvent {
  id: string;
  source: string;
}

/** Lists the events with the producer's eventId, newest first, at most `limit`. */
export async function listEventsByEventId(db: Db, query: EventIdQuery, limit: number): Promise<OtherEvent[]> {
  const { rows } = await db.query<OtherEvent>(
    `select e.id, e.source from events e where ${BY_EVENT_ID} order by e.id desc limit $4`,
    [...eventIdValues(query), limit],
  );
  return rows;
}

export interface Attempt {
  attemptNumber: number;
  dispatch: number;
  status: AttemptStatus;
  reasonCode: string;
  exhausted: boolean;
  errorMessage: string | null;
  durationMs: number;
  createdAt: string;
}

/** Lists the attempts of an event, oldest first. A union, because successes and failures have separate indexes. */
export async function listAttempts(db: Db, eventId: string): Promise<Attempt[]> {
  const columns = `attempt_number as "attemptNumber", dispatch_no as dispatch, status, reason_code as "reasonCode",
                   exhausted, error_message as "errorMessage", duration_ms as "durationMs", created_at as "createdAt"`;
  const { rows } = await db.query<Attempt>({
    name: 'list-attempts',
    text: `select ${columns} from processing_attempts where event_id = $1 and status = 'SUCCESS'
     union all
     select ${columns} from processing_attempts where event_id = $1 and status <> 'SUCCESS'
     order by "createdAt", "attemptNumber"`,
    values: [eventId],
  });
  return rows;
}

export interface ReplayOfEvent {
  replayId: string;
  mode: 'reprocess' | 'republish';
  /** When the replay dispatched the event. RFC 3339, UTC. */
  at: string;
}

/** Lists the replays that have dispatched an event, oldest first. */
export async function listReplaysOfEvent(db: Db, eventId: string): Promise<ReplayOfEvent[]> {
  const { rows } = await db.query<ReplayOfEvent>(
    `select r.id as "replayId", r.mode, sent.dispatched_at as at
       from replay_events sent join replays r on r.id = sent.replay_id
      where sent.event_id = $1 and sent.dispatched_at is not null order by sent.dispatched_at`,
    [eventId],
  );
  return rows;
}
