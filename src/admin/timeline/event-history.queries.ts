import type { TenantIds } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import type { Revision } from '../../revisions/revision';

export interface TimelineEvent {
  id: string;
  tenantId: string;
  eventId: string;
  type: string;
  source: string;
  sourceId: string | null;
  /** Null if the event came through no source, or the source is deleted. */
  sourceName: string | null;
  subject: string;
  correlationId: string;
  sizeBytes: number;
  hash: string;
  receivedAt: string;
}

/** Finds the event, if it belongs to one of these tenants. Null: any tenant. */
export async function findTimelineEvent(db: Db, id: string, tenantIds: TenantIds): Promise<TimelineEvent | undefined> {
  const { rows } = await db.query<TimelineEvent>(
    `select e.id, e.tenant_id as "tenantId", e.event_id as "eventId", e.type, e.source, e.source_id as "sourceId", s.name as "sourceName", e.subject,
            e.correlation_id as "correlationId", e.size_bytes as "sizeBytes", encode(e.hash, 'hex') as hash,
            e.received_at as "receivedAt"
       from events e left join sources s on s.id = e.source_id
      where e.id = $1 and ($2::text[] is null or e.tenant_id = any ($2))`,
    [id, tenantIds],
  );
  return rows[0];
}

/** A rejection that became the event, or a duplicate of it. */
export interface RejectionOfEvent {
  id: string;
  code: string;
  pointer: string | null;
  message: string;
  receivedAt: string;
  /** When it was sent in again. */
  settledAt: string | null;
  /** Whether the event came from another record. Null where the build before has resubmitted the rejection. */
  duplicate: boolean | null;
}

/** Lists at most `limit` rejections that have the event, the newest first. */
export async function listRejectionsOfEvent(db: Db, eventId: string, limit: number): Promise<RejectionOfEvent[]> {
  const { rows } = await db.query<RejectionOfEvent>(
    `select id, code, pointer, message, received_at as "receivedAt", settled_at as "settledAt", duplicate
       from rejections where event_id = $1 order by id desc limit $2`,
    [eventId, limit],
  );
  return rows;
}

/** A revision without its payload. */
export type RevisionOfTimeline = Pick<Revision, 'revision' | 'hash' | 'sizeBytes' | 'note' | 'actor' | 'createdAt'>;

/** Lists the revisions of an event. There are at most MAX_REVISIONS. */
export async function listRevisionsOfTimeline(db: Db, eventId: string): Promise<RevisionOfTimeline[]> {
  const { rows } = await db.query<RevisionOfTimeline>(
    `select revision, encode(hash, 'hex') as hash, size_bytes as "sizeBytes", note, actor, created_at as "createdAt"
       from event_revisions where event_id = $1 order by revision`,
    [eventId],
  );
  return rows;
}

/** A dispatch that left the outbox. */
export interface ClosedDispatch {
  at: string;
  status: 'PUBLISHED' | 'FAILED';
  dispatchNo: number;
  generation: number;
  /** Of publishing it. */
  attempts: number;
  lastError: string | null;
}

/**
 * Lists the closed dispatches that are known by their id: the first, the newest and those of the newest `limit` replays.
 * The outbox has no index by event, and forgets entries sooner than events.
 */
export async function listClosedDispatches(db: Db, eventId: string, limit: number): Promise<ClosedDispatch[]> {
  const { rows } = await db.query<ClosedDispatch>(
    `select closed_at as at, status, dispatch_no as "dispatchNo", abs(generation) as generation, attempts, last_error as "lastError"
       from outbox
      where closed_at is not null and id = any (array(
        select outbox_id from events where id = $1
         union select outbox_id from event_state where event_id = $1 and outbox_id is not null
         union (select outbox_id from replay_events
                 where event_id = $1 and dispatched_at is not null and outbox_id is not null
                 order by dispatched_at desc limit $2)))
      order by closed_at desc limit $2`,
    [eventId, limit],
  );
  return rows;
}
