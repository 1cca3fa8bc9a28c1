import type { Db } from '../../db/pool';
import type { RejectionCriteria } from './rejection-criteria';
import {
  CANDIDATES_AMONG_REJECTIONS,
  GROUP_OF_REJECTION,
  REJECTION_MATCHES,
  rejectionValues,
} from './rejection-search.queries';

/** Rejections with the same code, place and source. */
export interface RejectionGroup {
  /** What the filter takes as `group`. */
  id: string;
  code: string;
  sourceId: string | null;
  /** Those of the newest. */
  pointer: string | null;
  message: string;
  count: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleIds: string[];
}

/** Maximum number of rejections that are examined, newest first. Bounds the time of the statement. */
const MOST_EXAMINED = 50_000;
const SAMPLES_PER_GROUP = 5;

/** Groups rejections, largest group first. `capped` is true when the search stopped after MOST_EXAMINED. */
export async function listRejectionReasons(
  db: Db,
  criteria: RejectionCriteria,
  limit: number,
): Promise<{ reasons: RejectionGroup[]; total: number; capped: boolean }> {
  const { rows } = await db.query<
    { [K in keyof RejectionGroup]: RejectionGroup[K] | null } & { total: number; capped: boolean }
  >(
    `with ${CANDIDATES_AMONG_REJECTIONS}, matching as materialized (
       select r.*, ${GROUP_OF_REJECTION} as group_id from candidates r where ${REJECTION_MATCHES}
     ), groups as (
       select group_id as id, code, source_id as "sourceId", count(*)::int as count,
              min(received_at) as "firstSeenAt", max(received_at) as "lastSeenAt",
              (array_agg(id::text order by id desc))[1:$15] as "sampleIds"
         from matching group by group_id, code, source_id order by 4 desc, 1 limit $14
     )
     select g.*, newest.pointer, newest.message, (select count(*)::int from matching) as total,
            (select count(*) from candidates) = $13 as capped
       from (select 1) one left join groups g on true
       left join matching newest on newest.id = g."sampleIds"[1]::uuid
      order by g.count desc, g.id`,
    [...rejectionValues(criteria), MOST_EXAMINED, limit, SAMPLES_PER_GROUP],
  );
  const groups = rows.map(({ total: _total, capped: _capped, ...group }) => group);
  const { total, capped } = rows[0] ?? { total: 0, capped: false };
  return { reasons: groups.filter((group): group is RejectionGroup => group.id !== null), total, capped };
}
