import type { Db } from '../../../db/pool';
import type { ErasureRange, ErasureSelection } from '../erasure';

/** Most events that one statement reads. No index leads to the events of a subject. */
const MOST_READ = 20_000;

/** The values of $1 to $3: which events a selection names. `before` limits the ids instead. */
export const selectionValues = ({ tenantId, subject, eventIds }: ErasureSelection): unknown[] => [
  tenantId,
  subject,
  eventIds,
];

/** Whether the event `e` is one of the selection. */
export const IS_SELECTED = `e.tenant_id = $1 and ($2::text is null or e.subject = $2) and ($3::uuid[] is null or e.id = any ($3))`;

export interface SelectedEvents {
  /** Selected events that are not erased, at most `limit`, oldest first. */
  ids: string[];
  /** All events up to this id were looked at; null if there are none. */
  last: string | null;
  /** Further events may follow. */
  more: boolean;
}

/** Reads a bounded number of events of a range. */
export async function listSelectedEvents(db: Db, range: ErasureRange, limit: number): Promise<SelectedEvents> {
  const { rows } = await db.query<{ ids: string[]; last: string | null; read: number }>(
    `with read as materialized (
       select e.id, e.erased_at is null and ${IS_SELECTED} as wanted from events e
        where e.tenant_id = $1 and ($3::uuid[] is null or e.id = any ($3)) and e.id > $4 and e.id < $5
        order by e.id limit ${MOST_READ}
     )
     select array(select id::text from read where wanted order by id limit $6) as ids,
            (select id from read order by id desc limit 1) as last, (select count(*)::integer from read) as read`,
    [...selectionValues(range), range.position, range.below, limit],
  );
  const { ids = [], last = null, read = 0 } = rows[0] ?? {};
  const isCut = ids.length === limit;
  return { ids, last: isCut ? (ids.at(-1) ?? last) : last, more: isCut || read === MOST_READ };
}

/** Returns which of these events are not erased, each once. */
export async function listUnerased(db: Db, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'select id from events where id = any ($1::uuid[]) and erased_at is null order by id',
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** Removes the payloads of these events. Returns the ids of the requests that they came in, once for each event. */
export async function removePayloads(db: Db, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ requestId: string | null }>(
    `update events set payload = 'null', extensions = null, erased_at = now()
      where id = any ($1::uuid[]) and erased_at is null returning request_id as "requestId"`,
    [ids],
  );
  return rows.flatMap(({ requestId }) => requestId ?? []);
}

/** Counts the events that came through a source. */
export async function countWithRequest(db: Db, ids: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    'select count(*)::integer as n from events where id = any ($1::uuid[]) and request_id is not null',
    [ids],
  );
  return rows[0]?.n ?? 0;
}

/**
 * Removes what the producer sent from requests of sources. Other events may have come in the same request: how it was
 * verified stays.
 */
export async function removeRequests(db: Db, requestIds: readonly string[]): Promise<void> {
  if (requestIds.length === 0) return;
  await db.query(
    `update received_requests
        set body = '', request = json_build_object(
              'method', request ->> 'method', 'path', '', 'query', json_build_object(), 'headers', json_build_object(),
              'address', '', 'receivedAt', request ->> 'receivedAt', 'provider', request ->> 'provider',
              'scheme', request ->> 'scheme', 'keyHint', request ->> 'keyHint', 'erased', true)
      where id = any ($1::uuid[]) and request ->> 'erased' is null`,
    [requestIds],
  );
}
