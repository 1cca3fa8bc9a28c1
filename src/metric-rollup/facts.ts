import { bucketOf } from './latency-buckets';
import { dimensionsOf, hasBuckets, type MetricDimension, type StoredMeasure } from './measures';
import { SLICE_SECONDS } from './steps';

/**
 * Makes PostgreSQL find the rows of a slice by indexes, join sets of them by hashing, and look up singly only what a lateral
 * query asks for, whatever the statistics of the newest partitions say, and use one process. For one transaction.
 */
export const ROLLUP_PLANS = [
  'enable_seqscan = off',
  'enable_nestloop = off',
  'enable_mergejoin = off',
  'enable_sort = off',
  `work_mem = '32MB'`,
  'max_parallel_workers_per_gather = 0',
]
  .map((setting) => `set local ${setting}`)
  .join('; ');

/** Returns SQL for the start of the slice of an instant. */
export const sliceOf = (instant: string): string =>
  `date_bin('${SLICE_SECONDS} seconds', ${instant}, timestamptz '2000-01-01 00:00:00Z')`;

/** Returns SQL for the time in a UUIDv7. */
const instantOfId = (id: string): string =>
  `to_timestamp(('x' || lpad(left(replace(${id}::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)`;

/** The ids of the time from $1 on and before $2. */
const hasIdInRange = (id: string): string =>
  `${id} >= uuid_v7_floor($1::timestamptz) and ${id} < uuid_v7_floor($2::timestamptz)`;
const isInRange = (instant: string): string => `${instant} >= $1::timestamptz and ${instant} < $2::timestamptz`;

const ACCEPTED = `
  select ${sliceOf('e.received_at')} as at, e.tenant_id, e.source_id, e.type, 0::smallint as bucket
    from events e where ${hasIdInRange('e.id')}`;

const REJECTED = `
  select ${sliceOf(instantOfId('r.id'))} as at, r.tenant_id, r.source_id, coalesce(r.event_type, '') as type, r.code,
         0::smallint as bucket
    from rejections r where ${hasIdInRange('r.id')}`;

/**
 * When an event first became COMPLETED: when its handlers had succeeded and each delivery that this made had arrived, or
 * was skipped, or was replaced by one that arrived. Settling an event and recording its deliveries is one transaction, so
 * they have the same time. Rows that come later (a replay, a backfill) change nothing of it. What an erasure skips
 * completes nothing.
 */
const FIRST_COMPLETED = `
  select min(greatest(done.created_at, own.settled_at)) as at
    from processing_attempts done
   cross join lateral (
     select max(arrived.at) as settled_at, count(*) as recorded, count(arrived.at) as arrived
       from deliveries d
      cross join lateral (
        select min(n.settled_at) as at from deliveries n
         where n.event_id = done.event_id and n.destination_id = d.destination_id and n.generation >= d.generation
           and n.status in ('DELIVERED', 'SKIPPED') and n.last_reason_code is distinct from 'ERASED'
      ) arrived
      where d.event_id = done.event_id and d.replay_id is null and d.created_at = done.created_at
   ) own
   where done.event_id = candidate.event_id and done.status = 'SUCCESS' and own.recorded = own.arrived`;

/**
 * Whatever completes an event is an attempt of its handlers, a delivery that arrives, or one that is closed. Attempts are not
 * selected by their status: there is an index of successes, through all of which PostgreSQL might look for those of a time.
 */
const MAYBE_COMPLETED = `
  select event_id from processing_attempts where ${isInRange('created_at')}
   union
  select event_id from delivery_attempts where reason_code = 'PROCESSED' and ${isInRange('at')}
   union
  select event_id from delivery_closings where status = 'SKIPPED' and ${isInRange('at')}`;

/** Most events are completed while they are young. The bounds are computed once, not for each row. */
const isYoung = (id: string): string =>
  `${id} >= (select uuid_v7_floor($1::timestamptz - interval '${SLICE_SECONDS} seconds'))
   and ${id} < (select uuid_v7_floor($2::timestamptz))`;

/**
 * The same events, without looking at each: `at_once` is true of a young one if its first success is all that there is of
 * it. No delivery was recorded, so that is when it was completed.
 */
const MAYBE_COMPLETED_AT_ONCE = `
  select event_id, min(at) as at, count(*) = 1 and bool_and(first_success) as at_once
    from (select event_id, case when status = 'SUCCESS' then created_at end as at,
                 status = 'SUCCESS' and generation = 1 and ${isYoung('event_id')} as first_success
            from processing_attempts where ${isInRange('created_at')}
          union all
          select event_id, null, false from deliveries where ${isYoung('event_id')}
          union all
          select event_id, at, false from delivery_attempts where reason_code = 'PROCESSED' and ${isInRange('at')}
          union all
          select event_id, at, false from delivery_closings where status = 'SKIPPED' and ${isInRange('at')}) touched
   group by event_id having count(at) > 0`;

/** The events of the time itself, which are most, are read together: looking up each would take longer than all the rest. */
const COMPLETED = `
  select ${sliceOf('first.at')} as at, first.tenant_id, first.source_id, first.type,
         ${bucketOf('extract(epoch from first.at - first.received_at)::float8 * 1000')} as bucket
    from (with candidate as materialized (${MAYBE_COMPLETED_AT_ONCE})
          select candidate.at, e.tenant_id, e.source_id, e.type, e.received_at
            from candidate join events e on e.id = candidate.event_id and ${hasIdInRange('e.id')}
           where candidate.at_once
          union all
          select each.at, e.tenant_id, e.source_id, e.type, e.received_at
            from (select event_id, at from candidate
                   where at_once and event_id < (select uuid_v7_floor($1::timestamptz))
                  union all
                  select candidate.event_id, first.at
                    from candidate cross join lateral (${FIRST_COMPLETED}) first
                   where not candidate.at_once) each
           cross join lateral (
             select tenant_id, source_id, type, received_at from events where id = each.event_id limit 1
           ) e) first
   where ${isInRange('first.at')}`;

/**
 * SQL for the slices from $2 on and before $3 in which events were completed that something happened to from $1 on and
 * before $2. Columns: at.
 */
export const COMPLETED_LATER = `
  select distinct ${sliceOf('first.at')} as at
    from (${MAYBE_COMPLETED}) candidate
   cross join lateral (${FIRST_COMPLETED}) first
   where first.at >= $2::timestamptz and first.at < $3::timestamptz`;

const deliveryOf = (attempt: string): string => `
   cross join lateral (
     select tenant_id, type, status, failed_at, replay_id from deliveries
      where event_id = ${attempt}.event_id and destination_id = ${attempt}.destination_id
        and generation = ${attempt}.generation limit 1
   ) d`;

/**
 * The latency is the time since the event was received, which is in its id. Later generations, backfills and what was rolled
 * up by builds that did not count latencies are in bucket 0, so no latency is.
 */
const DELIVERED = `
  select ${sliceOf('a.at')} as at, d.tenant_id, a.destination_id, d.type,
         case when a.generation > 1 or d.replay_id is not null then 0::smallint
              else greatest(1, ${bucketOf(`extract(epoch from a.at - ${instantOfId('a.event_id')})::float8 * 1000`)})::smallint
         end as bucket
    from delivery_attempts a ${deliveryOf('a')}
   where ${isInRange('a.at')} and a.reason_code = 'PROCESSED'`;

const FAILED = `
  select ${sliceOf('a.at')} as at, d.tenant_id, a.destination_id, d.type, a.reason_code as code, 0::smallint as bucket
    from delivery_attempts a ${deliveryOf('a')}
   where ${isInRange('a.at')} and a.reason_code <> 'PROCESSED'
     and coalesce(a.failed, d.status = 'FAILED' and d.failed_at = a.at)
  union all
  select ${sliceOf('c.at')}, d.tenant_id, c.destination_id, d.type, c.reason_code, 0::smallint
    from delivery_closings c ${deliveryOf('c')}
   where ${isInRange('c.at')} and c.status = 'FAILED'`;

const FACTS: Record<StoredMeasure, string> = {
  accepted: ACCEPTED,
  completed: COMPLETED,
  rejected: REJECTED,
  delivered: DELIVERED,
  failed: FAILED,
};

/** The columns of the facts that the keys are made from, beside the tenant. */
const COLUMNS: Record<MetricDimension, readonly string[]> = {
  tenant: [],
  source: ['source_id'],
  destination: ['destination_id'],
  type: ['type'],
  code: ['code'],
};

/** What came through no source, and what has no type, has an empty key. */
const KEYS: Record<MetricDimension, string> = {
  tenant: 'f.tenant_id',
  source: `coalesce(f.source_id::text, '')`,
  destination: 'f.destination_id::text',
  type: 'f.type',
  code: 'f.code',
};

/**
 * Returns SQL for what was measured from $1 on and before $2, by slice and key. Both are instants. Columns: at, dimension,
 * tenant_id, key, bucket, count.
 */
export function keyedFacts(
  measure: StoredMeasure,
  dimensions: readonly MetricDimension[] = dimensionsOf(measure),
): string {
  const keys = dimensions
    .map(
      (dimension) =>
        `('${dimension}', ${KEYS[dimension]}, ${hasBuckets(measure, dimension) ? 'f.bucket' : '0::smallint'})`,
    )
    .join(', ');
  // Counted before there is a row for each dimension: many events have the same keys.
  const columns = ['at', 'tenant_id', ...dimensions.flatMap((dimension) => COLUMNS[dimension]), 'bucket'].join(', ');
  return `
  select f.at, k.dimension, f.tenant_id, k.key, k.bucket, sum(f.n)::bigint as count
    from (select ${columns}, count(*) as n from (${FACTS[measure]}) each group by ${columns}) f
   cross join lateral (values ${keys}) k (dimension, key, bucket)
   group by f.at, k.dimension, f.tenant_id, k.key, k.bucket`;
}
