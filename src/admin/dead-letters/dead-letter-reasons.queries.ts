import type { Db } from '../../db/pool';
import { isReplaced } from '../../delivery-state/delivery-keys';
import {
  ALL_TYPES,
  allValues,
  groupOfLetter,
  hasCauseOfLetter,
  hasStoredCause,
} from '../events/cause-conditions.queries';
import type { EventCriteria } from '../events/event-criteria';
import { HAS_FACTS, hasType, isCovered, NAMED } from '../events/event-conditions.queries';
import { inHour } from '../in-hour';

export interface ReasonGroup {
  /** What the filter takes as `group`. */
  id: string;
  reasonCode: string;
  /** Null for failures of handlers. */
  destinationId: string | null;
  errorMessage: string;
  count: number;
  /** How many of them failed within the last hour, and how many in the hour before. */
  lastHour: number;
  hourBefore: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleEventIds: string[];
}

/**
 * Maximum number of dead letters, and of failed deliveries, that `listReasons` examines, newest first. Bounds the time of
 * its statement.
 */
const MOST_EXAMINED = 20_000;
const SAMPLES_PER_REASON = 5;

const hasFacts = `(($5::text is null and $6::text is null and $7::text is null and $9::text is null
             and $14::uuid is null)
            or exists (select from events e where e.id = d.event_id and ${HAS_FACTS}))`;

/** `group` is what is compared with the group of the filter, by an index. */
const inScope = (named: boolean, group: string): string => `($1::text is null or d.tenant_id = $1) and ${isCovered('d')}
       and ($17::text is null or ${group} = $17)
       and d.event_id >= $11 and d.event_id < $12 ${named ? `and d.event_id = any (array(${NAMED}))` : ''}`;

/** A failed delivery makes its event a dead letter unless another delivery is open, or the handlers run again. */
const MAKES_DEAD = `not ${isReplaced('d')}
       and not exists (select from delivery_queue q where q.event_id = d.event_id)
       and not exists (select from event_state s where s.event_id = d.event_id and s.status <> 'COMPLETED')`;

/**
 * $18 is the bound, $19 the number of reasons, $20 the number of samples. Rows are kept narrow, since many are examined:
 * what the rows of a group have in common is read from its newest delivery. The samples are sorted only for the groups
 * that are listed, because an aggregate with an order would sort all rows.
 */
const reasons = (named: boolean): string => `
  with criteria as (select ${ALL_TYPES}),
  letters as materialized (
    select d.event_id, d.reason_code, d.message_group, d.first_failed_at, d.last_failed_at,
           ${hasType('d')} and ${hasCauseOfLetter('d')} as matches
      from dead_letters d where d.resolved_at is null and ${inScope(named, groupOfLetter('d'))}
     order by d.event_id desc limit $18
  ), failures as materialized (
    select d.event_id, d.destination_id, d.generation, d.cause, d.failed_at,
           ${hasType('d')} and ${hasStoredCause('d')} as matches
      from deliveries d where d.failed_at is not null and d.status = 'FAILED' and ${inScope(named, 'd.cause')}
     order by d.event_id desc limit $18
  ), groups as (
    select d.reason_code, null::uuid as destination_id, d.message_group, ${groupOfLetter('d')} as id,
           count(*)::int as count, ${inHour('d.last_failed_at', 1)} as last_hour,
           ${inHour('d.last_failed_at', 2)} as hour_before, min(d.first_failed_at) as first_seen,
           max(d.last_failed_at) as last_seen, array_agg(d.event_id) as event_ids
      from letters d where d.matches and ${hasFacts}
     group by d.reason_code, d.message_group
     union all
    select null, null, null, d.cause, count(*)::int, ${inHour('d.failed_at', 1)}, ${inHour('d.failed_at', 2)},
           min(d.failed_at), max(d.failed_at), array_agg(d.event_id)
      from failures d where d.matches and ${hasFacts} and ${MAKES_DEAD}
     group by d.cause
  ), largest as (
    select g.*, array(select unnest(g.event_ids) order by 1 desc limit $20) as samples
      from (select * from groups order by count desc, id limit $19) g
  )
  select g.id, coalesce(g.reason_code, newest.last_reason_code) as "reasonCode",
         newest.destination_id as "destinationId", coalesce(g.message_group, newest.message) as "errorMessage", g.count,
         g.last_hour as "lastHour", g.hour_before as "hourBefore",
         g.first_seen as "firstSeenAt", g.last_seen as "lastSeenAt",
         (select coalesce(sum(count), 0)::int from groups) as total,
         greatest((select count(*) from letters), (select count(*) from failures)) = $18 as capped,
         g.samples::text[] as "sampleEventIds"
    from (select 1) one
    left join largest g on true
    left join lateral (
      select d.last_reason_code, d.destination_id, failure_group(d.last_error) as message
        from deliveries d where g.message_group is null and d.cause = g.id and d.event_id = g.samples[1] limit 1
    ) newest on true
   order by g.count desc, 2, 3, 4`;

/**
 * Groups the causes of dead letters, most frequent first. A cause is the destination, the reason code and the error
 * message with its ids and numbers replaced (`failure_group` in the migrations). An event is counted once for each
 * destination that failed. `total` is the sum of all groups. `capped` is true when the search stopped after
 * MOST_EXAMINED.
 */
export async function listReasons(
  db: Db,
  criteria: EventCriteria,
  limit: number,
): Promise<{ reasons: ReasonGroup[]; total: number; capped: boolean }> {
  const { rows } = await db.query<
    { [K in keyof ReasonGroup]: ReasonGroup[K] | null } & { total: number; capped: boolean }
  >(reasons(criteria.eventIds !== null), [...allValues(criteria), MOST_EXAMINED, limit, SAMPLES_PER_REASON]);
  const groups = rows.map(({ total: _total, capped: _capped, ...group }) => group);
  const { total, capped } = rows[0] ?? { total: 0, capped: false };
  return { reasons: groups.filter((group): group is ReasonGroup => group.id !== null), total, capped };
}
