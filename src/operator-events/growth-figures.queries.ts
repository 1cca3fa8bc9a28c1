import type { Db } from '../db/pool';
import { RESERVED_TENANT } from '../event/tenant';
import { readingOf, type Observation, type WatchReading } from './condition';

export const GROWTH_MINUTES = 10;
/** Growth has ended when a fifth of what raises a condition is left of it. */
const ENDED_AT = 1 / 5;
const MOST_SUBJECTS = 1_000;
/** Dead letters that are looked at, those of the newest events first. It bounds the cost of a look. */
const MOST_DEAD_LETTERS = 10_000;

/** Reads the causes that have new dead letters or failed deliveries. The subject is the tenant and the id of the group. */
export async function readGrowingDeadLetters(db: Db, most: number): Promise<WatchReading> {
  const { rows } = await db.query<{
    tenantId: string;
    group: string;
    reasonCode: string;
    destinationId: string | null;
    since: string;
    count: number;
  }>(
    `with failed as (
       select tenant_id, cause, last_reason_code as reason_code, destination_id, failed_at
         from (select * from deliveries where failed_at is not null order by event_id desc limit $4) d
        where status = 'FAILED' and failed_at > now() - make_interval(mins => $3)
       union all
       select tenant_id, cause_group(reason_code, null::uuid, message_group), reason_code, null, last_failed_at
         from (select * from dead_letters where resolved_at is null order by event_id desc limit $4) l
        where last_failed_at > now() - make_interval(mins => $3)
     )
     select tenant_id as "tenantId", cause as "group", min(reason_code) as "reasonCode",
            min(destination_id::text) as "destinationId", min(failed_at) as since, count(*)::integer as count
       from failed where tenant_id <> $1 and cause is not null
      group by tenant_id, cause having count(*) > $2::float8 order by count(*) desc, tenant_id, cause limit $5`,
    [RESERVED_TENANT, most * ENDED_AT, GROWTH_MINUTES, MOST_DEAD_LETTERS, MOST_SUBJECTS],
  );
  const observations = rows.map(({ tenantId, group, since, count, reasonCode, destinationId }): Observation => ({
    subject: `${tenantId}/${group}`,
    tenantId,
    name: reasonCode,
    since,
    verdict: count >= most ? 'holds' : 'between',
    figures: { newDeadLetters: count, minutes: GROWTH_MINUTES, reasonCode, destinationId },
  }));
  const { isCut } = readingOf(observations, MOST_SUBJECTS);
  return { observations, isCut: isCut || (await haveMoreNewDeadLetters(db)) };
}

/**
 * True if even the last event that is looked at came within the time. In an installation with many old dead letters there are
 * always more than are looked at, which says nothing.
 */
async function haveMoreNewDeadLetters(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ isCut: boolean }>(
    `select exists (
       select from ((select event_id from deliveries where failed_at is not null order by event_id desc offset $1 limit 1)
                    union all
                    (select event_id from dead_letters where resolved_at is null order by event_id desc offset $1 limit 1)) last
        where to_timestamp(('x' || lpad(left(replace(event_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
              > now() - make_interval(mins => $2)) as "isCut"`,
    [MOST_DEAD_LETTERS - 1, GROWTH_MINUTES],
  );
  return rows[0]?.isCut ?? false;
}

/** Reads the tenants that have new rejections from the roll-up of metrics, which is some seconds old. */
export async function readGrowingRejections(db: Db, most: number): Promise<WatchReading> {
  const { rows } = await db.query<{ tenantId: string; since: string; count: number }>(
    `select tenant_id as "tenantId", min(at) as since, sum(count)::float8 as count
       from metric_rollup
      where measure = 'rejected' and dimension = 'tenant' and at > now() - make_interval(mins => $3)
        and tenant_id <> $1
      group by tenant_id having sum(count) > $2::float8 order by sum(count) desc, tenant_id limit $4`,
    [RESERVED_TENANT, most * ENDED_AT, GROWTH_MINUTES, MOST_SUBJECTS],
  );
  const observations = rows.map(({ tenantId, since, count }): Observation => ({
    subject: tenantId,
    tenantId,
    name: null,
    since,
    verdict: count >= most ? 'holds' : 'between',
    figures: { newRejections: count, minutes: GROWTH_MINUTES },
  }));
  return readingOf(observations, MOST_SUBJECTS);
}
