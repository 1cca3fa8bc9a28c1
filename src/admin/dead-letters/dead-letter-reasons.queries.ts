import type { Db } from '../../db/pool';
import { isSuperseded } from '../../delivery-state/delivery-keys';
import {
  ALL_TYPES,
  allValues,
  groupOfDelivery,
  groupOfLetter,
  hasCause,
  hasCauseOfLetter,
} from '../events/cause-conditions.queries';
import type { EventCriteria } from '../events/event-criteria';
import { HAS_FACTS, hasType, isCovered, NAMED } from '../events/event-conditions.queries';

export interface ReasonGroup {
  /** What the filter takes as `group`. */
  id: string;
  reasonCode: string;
  /** Null for failures of handlers. */
  destinationId: string | null;
  errorMessage: string;
  count: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleEventIds: string[];
}

/**
 * Maximum number of dead letters, and of failed deliveries, that `listReasons` examines, newest first. Bounds the time of
 * its statement.
 */
const MOST_EXAMINED = 50_000;
const SAMPLES_PER_REASON = 5;

const hasFacts = `(($5::text is null and $6::text is null and $7::text is null and $9::text is null
             and $14::uuid is null)
            or exists (select from events e where e.id = d.event_id and ${HAS_FACTS}))`;

const inScope = (named: boolean): string => `($1::text is null or d.tenant_id = $1) and ${isCovered('d')}
       and d.event_id >= $11 and d.event_id < $12 ${named ? `and d.event_id = any (array(${NAMED}))` : ''}`;

/** A failed delivery makes its event a dead letter unless another delivery is open, or the handlers run again. */
const MAKES_DEAD = `not ${isSuperseded('d')}
       and not exists (select from delivery_queue q where q.event_id = d.event_id)
       and not exists (select from event_state s where s.event_id = d.event_id and s.status <> 'COMPLETED')`;

/** $18 is the bound, $19 the number of reasons, $20 the number of samples. */
const reasons = (named: boolean): string => `
  with criteria as (select ${ALL_TYPES}),
  letters as materialized (
    select d.* from dead_letters d where d.resolved_at is null and ${inScope(named)} order by d.event_id desc limit $18
  ), failures as materialized (
    select d.* from deliveries d
     where d.failed_at is not null and d.status = 'FAILED' and ${inScope(named)} order by d.event_id desc limit $18
  ), unresolved as materialized (
    select ${groupOfLetter('d')} as id, d.event_id, d.reason_code, null::uuid as destination_id, d.message_group,
           d.first_failed_at, d.last_failed_at
      from letters d where ${hasType('d')} and ${hasCauseOfLetter('d')} and ${hasFacts}
     union all
    select ${groupOfDelivery('d')}, d.event_id, d.last_reason_code, d.destination_id, failure_group(d.last_error),
           d.failed_at, d.failed_at
      from failures d where ${hasType('d')} and ${hasCause('d')} and ${hasFacts} and ${MAKES_DEAD}
  ), groups as (
    select id, reason_code, destination_id, message_group, count(*)::int as count, min(first_failed_at) as first_seen,
           max(last_failed_at) as last_seen
      from unresolved group by id, reason_code, destination_id, message_group order by 5 desc, 2, 3, 4 limit $19
  )
  select g.id, g.reason_code as "reasonCode", g.destination_id as "destinationId", g.message_group as "errorMessage",
         g.count, g.first_seen as "firstSeenAt", g.last_seen as "lastSeenAt",
         (select count(*)::int from unresolved) as total,
         greatest((select count(*) from letters), (select count(*) from failures)) = $18 as capped,
         array(select u.event_id::text from unresolved u where u.id = g.id order by u.event_id desc limit $20)
           as "sampleEventIds"
    from (select 1) one left join groups g on true
   order by g.count desc, g.reason_code, g.destination_id, g.message_group`;

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
