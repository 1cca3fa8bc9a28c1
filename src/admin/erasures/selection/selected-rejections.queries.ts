import type { Db } from '../../../db/pool';
import { ERASED_TEXT } from '../../../event/erased-text';
import type { ErasureRange } from '../erasure';
import { IS_SELECTED, selectionValues } from './selected-events.queries';

/** Bytes that one statement reads. The last rejection may exceed it. */
const MOST_BYTES = 16 * 1024 * 1024;

/** A rejection that may have to be erased. */
export interface RejectionToErase {
  id: string;
  /** It collides with a selected event, or became one. */
  related: boolean;
  /** Null unless a subject is looked for. */
  body: Buffer | null;
  requestJson: string | null;
}

/** Lists up to `most` rejections of a range that are not erased, oldest first. There are no more once this returns none. */
export async function listRejectionsToErase(db: Db, range: ErasureRange, most: number): Promise<RejectionToErase[]> {
  const { rows } = await db.query<RejectionToErase>(
    `select r.id, case when $2::text is not null then r.body end as body,
            case when $2::text is not null then r.request end as "requestJson",
            exists (select from events e where e.id in (r.conflicts_with, r.event_id) and ${IS_SELECTED}) as related
       from (select *, sum(octet_length(body)) over (order by id) - octet_length(body) as bytes_before
               from rejections
              where tenant_id = $1 and erased_at is null and id > $4 and id < $5 order by id limit $6) r
      where $2::text is null or bytes_before < ${MOST_BYTES}
      order by r.id`,
    [...selectionValues(range), range.position, range.below, most],
  );
  return rows;
}

/**
 * Removes the bytes of rejections. An open one is discarded, so it can no longer be resubmitted. Waits for a resubmission
 * that has locked one of them. Returns a row for each, with the event that it became.
 */
export async function eraseRejections(db: Db, ids: readonly string[]): Promise<{ eventId: string | null }[]> {
  const { rows } = await db.query<{ eventId: string | null }>(
    `update rejections
        set body = '', request = null, message = '${ERASED_TEXT}', pointer = null, erased_at = now(),
            status = case status when 'OPEN' then 'DISCARDED' else status end, settled_at = coalesce(settled_at, now())
      where id = any (array(select id from rejections where id = any ($1::uuid[]) order by id for update))
        and erased_at is null
      returning event_id as "eventId"`,
    [ids],
  );
  return rows;
}

/** Returns the ids of the events that these rejections became. */
export async function listEventsOfRejections(db: Db, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ eventId: string }>(
    `select event_id as "eventId" from rejections where id = any ($1::uuid[]) and event_id is not null`,
    [ids],
  );
  return rows.map(({ eventId }) => eventId);
}
