import type { Db } from '../../db/pool';
import type { EventCriteria } from '../events/event-criteria';
import {
  CRITERIA_TYPES,
  criteriaValues,
  HAS_FACTS,
  hasReason,
  hasType,
  isCovered,
  NAMED,
} from '../events/event-conditions.queries';

export interface DeadLetter {
  id: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  firstFailedAt: string;
  lastFailedAt: string;
}

/** Reads the dead letters of these events, keyed by event id. */
export async function readDeadLetters(db: Db, ids: readonly string[]): Promise<Map<string, DeadLetter>> {
  const { rows } = await db.query<DeadLetter>(
    `select event_id as id, reason_code as "reasonCode", error_message as "errorMessage", attempts,
            first_failed_at as "firstFailedAt", last_failed_at as "lastFailedAt"
       from dead_letters where event_id = any ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

export interface ReasonGroup {
  reasonCode: string;
  errorMessage: string;
  count: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleEventIds: string[];
}

/** Maximum number of dead letters that `listReasons` examines, newest first. Bounds the time of its statement. */
const MOST_EXAMINED = 50_000;
const SAMPLES_PER_REASON = 5;

/** $15 is the bound, $16 the number of reasons, $17 the number of samples. */
const reasons = (named: boolean): string => `
  with criteria as (select ${CRITERIA_TYPES}),
  newest as materialized (
    select d.event_id, d.type, d.reason_code, d.message_group, d.first_failed_at, d.last_failed_at from dead_letters d
     where d.resolved_at is null and ($1::text is null or d.tenant_id = $1) and ${isCovered('d')}
       and d.event_id >= $11 and d.event_id < $12 ${named ? `and d.event_id = any (array(${NAMED}))` : ''}
     order by d.event_id desc limit $15
  ), unresolved as materialized (
    select d.* from newest d
     where ${hasType('d')} and ${hasReason('d.reason_code')}
       and (($5::text is null and $6::text is null and $7::text is null and $9::text is null
             and $14::uuid is null)
            or exists (select from events e where e.id = d.event_id and ${HAS_FACTS}))
  ), groups as (
    select reason_code, message_group, count(*)::int as count, min(first_failed_at) as first_seen,
           max(last_failed_at) as last_seen
      from unresolved group by reason_code, message_group order by 3 desc, 1, 2 limit $16
  )
  select g.reason_code as "reasonCode", g.message_group as "errorMessage", g.count, g.first_seen as "firstSeenAt",
         g.last_seen as "lastSeenAt", (select count(*)::int from unresolved) as total,
         (select count(*) from newest) = $15 as capped,
         array(select u.event_id::text from unresolved u
                where u.reason_code = g.reason_code and u.message_group = g.message_group limit $17) as "sampleEventIds"
    from (select 1) one left join groups g on true order by g.count desc, g.reason_code, g.message_group`;

/**
 * Groups unresolved dead letters by cause, most frequent first. A cause is the reason code and the error message with
 * its ids and numbers replaced (`failure_group` in the migrations). `total` counts the dead letters of all groups.
 * `capped` is true when the search stopped after MOST_EXAMINED.
 */
export async function listReasons(
  db: Db,
  criteria: EventCriteria,
  limit: number,
): Promise<{ reasons: ReasonGroup[]; total: number; capped: boolean }> {
  const { rows } = await db.query<
    { [K in keyof ReasonGroup]: ReasonGroup[K] | null } & { total: number; capped: boolean }
  >(reasons(criteria.eventIds !== null), [...criteriaValues(criteria), MOST_EXAMINED, limit, SAMPLES_PER_REASON]);
  const groups = rows.map(({ total: _total, capped: _capped, ...group }) => group);
  const { total, capped } = rows[0] ?? { total: 0, capped: false };
  return { reasons: groups.filter((group): group is ReasonGroup => group.reasonCode !== null), total, capped };
}
