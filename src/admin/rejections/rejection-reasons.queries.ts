import type { Db } from '../../db/pool';
import { inHour } from '../in-hour';
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
  /** How many of them came within the last hour, and how many in the hour before. */
  lastHour: number;
  hourBefore: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleIds: string[];
}

/** Maximum number of rejections that are examined, newest first. Bounds the time of the statement. */
const MOST_EXAMINED = 20_000;
const SAMPLES_PER_GROUP = 5;

/**
 * Groups rejections, largest group first: first by their place, as there are far fewer places than rejections, and taking
 * the numbers out of a text is slow. The samples are sorted only for the groups that are listed. `capped` is true when
 * the search stopped after MOST_EXAMINED.
 */
export async function listRejectionReasons(
  db: Db,
  criteria: RejectionCriteria,
  limit: number,
): Promise<{ reasons: RejectionGroup[]; total: number; capped: boolean }> {
  const { rows } = await db.query<
    { [K in keyof RejectionGroup]: RejectionGroup[K] | null } & { total: number; capped: boolean }
  >(
    `with ${CANDIDATES_AMONG_REJECTIONS}, places as materialized (
       select code, place, source_id, count(*) as count, ${inHour('received_at', 1)} as last_hour,
              ${inHour('received_at', 2)} as hour_before, min(received_at) as first_seen, max(received_at) as last_seen,
              array_agg(id) as ids
         from candidates r where ${REJECTION_MATCHES} group by code, place, source_id
     ), matching as materialized (
       select * from (select p.*, ${GROUP_OF_REJECTION} as group_id from places p) p
        where $12::text is null or group_id = $12
     ), groups as (
       select group_id, code, source_id, sum(count)::int as count, sum(last_hour)::int as last_hour,
              sum(hour_before)::int as hour_before, min(first_seen) as first_seen, max(last_seen) as last_seen
         from matching group by group_id, code, source_id order by 4 desc, 1 limit $14
     ), sampled as (
       select g.*, array(select i.id from matching m cross join lateral unnest(m.ids) i (id)
                          where m.group_id = g.group_id order by i.id desc limit $15) as samples
         from groups g
     )
     select g.group_id as id, g.code, g.source_id as "sourceId", newest.pointer, newest.message, g.count,
            g.last_hour as "lastHour", g.hour_before as "hourBefore",
            g.first_seen as "firstSeenAt", g.last_seen as "lastSeenAt", g.samples::text[] as "sampleIds",
            (select coalesce(sum(count), 0)::int from matching) as total,
            (select count(*) from candidates) = $13 as capped
       from (select 1) one left join sampled g on true
       left join lateral (select r.pointer, r.message from rejections r where r.id = g.samples[1] limit 1) newest on true
      order by g.count desc, g.group_id`,
    [...rejectionValues(criteria), MOST_EXAMINED, limit, SAMPLES_PER_GROUP],
  );
  const groups = rows.map(({ total: _total, capped: _capped, ...group }) => group);
  const { total, capped } = rows[0] ?? { total: 0, capped: false };
  return { reasons: groups.filter((group): group is RejectionGroup => group.id !== null), total, capped };
}
