import type { Db } from '../../db/pool';
import type { Rejection } from '../../rejections/rejection';
import { REJECTION_COLUMNS } from '../../rejections/rejections.queries';
import type { RejectionCriteria } from './rejection-criteria';

/** Maximum number of rejections that one search examines, newest first. Bounds the time of its statement. */
const MOST_EXAMINED = 20_000;

/** The values of $1 to $12. */
export function rejectionValues(criteria: RejectionCriteria): unknown[] {
  const { tenantId, tenantIds, fromId, beforeId, ids } = criteria;
  const { sourceId, code, type, typePrefix, status, correlationId, group } = criteria;
  return [tenantId, tenantIds, fromId, beforeId, ids, sourceId, code, type, typePrefix, status, correlationId, group];
}

/** Declares the types of all criteria in statements that do not use all of them. */
const TYPES = `select $1::text, $2::text[], $3::uuid, $4::uuid, $5::uuid[], $6::uuid, $7::text, $8::text, $9::text,
  $10::text, $11::text, $12::text`;

/**
 * The newest rejections in the scope of the filter; $13 is the bound. Reads no bytes: long ones are stored elsewhere.
 * `place` is where a record is wrong, or else the message.
 */
export const CANDIDATES_AMONG_REJECTIONS = `criteria as (${TYPES}), candidates as materialized (
    select r.id, r.source_id, r.code, coalesce(r.pointer, r.message) as place, r.event_type, r.status, r.correlation_id,
           r.received_at
      from rejections r
     where ($1::text is null or r.tenant_id = $1) and ($2::text[] is null or r.tenant_id = any ($2))
       and r.id >= $3 and r.id < $4 and ($5::uuid[] is null or r.id = any ($5))
     order by r.id desc limit $13
  )`;

/** The id of a group of rejections: code, place without its numbers, and source. */
export const GROUP_OF_REJECTION = `md5(concat(code, ' ', failure_group(place), ' ', source_id))`;

export const REJECTION_MATCHES = `($6::uuid is null or r.source_id = $6) and ($7::text is null or r.code = $7)
       and ($8::text is null or r.event_type = $8) and ($9::text is null or starts_with(r.event_type, $9))
       and ($10::text is null or r.status = $10) and ($11::text is null or r.correlation_id = $11)`;

/**
 * There are far fewer places than rejections, and taking the numbers out of a text is slow. Without the offset, PostgreSQL
 * would do so before it has made them distinct.
 */
const IN_GROUP = `($12::text is null or (r.code, r.place, coalesce(r.source_id::text, '')) in (
       select code, place, coalesce(source_id::text, '')
         from (select distinct code, place, source_id from candidates offset 0) c where ${GROUP_OF_REJECTION} = $12))`;

export interface FoundRejections {
  /** Newest first. */
  rejections: Rejection[];
  /** More rejections may match below this id. Null when the search is complete. */
  lookedDownTo: string | null;
}

/** Finds one page of rejections. */
export async function findRejections(db: Db, criteria: RejectionCriteria, limit: number): Promise<FoundRejections> {
  const { rows: rejections } = await db.query<Rejection>(
    `with ${CANDIDATES_AMONG_REJECTIONS}
     select ${REJECTION_COLUMNS} from rejections
      where id = any (array(
              select r.id from candidates r where ${REJECTION_MATCHES} and ${IN_GROUP} order by r.id desc limit $14))
      order by id desc`,
    [...rejectionValues(criteria), MOST_EXAMINED, limit],
  );
  if (rejections.length === limit) return { rejections, lookedDownTo: rejections.at(-1)?.id ?? null };
  return { rejections, lookedDownTo: await lastCandidate(db, criteria) };
}

/** Finds the last candidate if there are as many as the bound allows. */
async function lastCandidate(db: Db, criteria: RejectionCriteria): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    `with ${CANDIDATES_AMONG_REJECTIONS} select id from candidates order by id desc offset $13 - 1`,
    [...rejectionValues(criteria), MOST_EXAMINED],
  );
  return rows[0]?.id ?? null;
}
