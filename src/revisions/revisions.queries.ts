import type { Db } from '../db/pool';
import { ERASED_TEXT } from '../event/erased-text';
import type { NewRevision, RevisedContent, Revision, RevisionKey } from './revision';

/** Returns when the revision was made. The caller holds the lock of the event's state, which makes the number unique. */
export async function insertRevision(db: Db, made: NewRevision): Promise<string> {
  const { eventId, revision, payloadJson, hash, sizeBytes, note, actor } = made;
  const { rows } = await db.query<{ createdAt: string }>(
    `insert into event_revisions (event_id, revision, payload, hash, size_bytes, note, actor)
     values ($1, $2, $3, decode($4, 'hex'), $5, $6, $7) returning created_at as "createdAt"`,
    [eventId, revision, payloadJson, hash, sizeBytes, note, actor],
  );
  return (rows[0] as { createdAt: string }).createdAt;
}

/** Lists the revisions of an event, oldest first. There are at most MAX_REVISIONS. */
export async function listRevisions(db: Db, eventId: string): Promise<Revision[]> {
  const { rows } = await db.query<Revision>({
    name: 'list-revisions',
    text: `select event_id as "eventId", revision, payload as "payloadJson", encode(hash, 'hex') as hash,
                  size_bytes as "sizeBytes", note, actor, created_at as "createdAt", erased_at as "erasedAt"
             from event_revisions where event_id = $1 order by revision`,
    values: [eventId],
  });
  return rows;
}

/** Reads the content of these revisions, by textOfKey. Those that were erased, or that retention has removed, are missing. */
export async function readRevisions(db: Db, keys: readonly RevisionKey[]): Promise<Map<string, RevisedContent>> {
  const { rows } = await db.query<RevisionKey & RevisedContent>({
    name: 'read-revisions',
    text: `select r.event_id as "eventId", r.revision, r.payload as "payloadJson", encode(r.hash, 'hex') as hash
             from event_revisions r
            where r.event_id = any ($1::uuid[]) and r.erased_at is null
              and (r.event_id, r.revision) in (select * from unnest($1::uuid[], $2::integer[]))`,
    values: [keys.map(({ eventId }) => eventId), keys.map(({ revision }) => revision)],
  });
  return new Map(rows.map((row) => [textOfKey(row), row]));
}

const HAS_PAYLOAD = 'event_id = any ($1::uuid[]) and erased_at is null';

/** Removes the payloads of revisions, in a transaction that has locked the states of their events. Returns their number. */
export async function eraseRevisions(db: Db, eventIds: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `update event_revisions
        set payload = 'null', note = case when note is not null then '${ERASED_TEXT}' end, erased_at = now()
      where ${HAS_PAYLOAD}`,
    [eventIds],
  );
  return rowCount ?? 0;
}

/** Counts the revisions that eraseRevisions would erase. */
export async function countUnerasedRevisions(db: Db, eventIds: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::integer as n from event_revisions where ${HAS_PAYLOAD}`,
    [eventIds],
  );
  return rows[0]?.n ?? 0;
}

export const textOfKey = ({ eventId, revision }: RevisionKey): string => `${eventId} ${revision}`;
