import { bucketOf } from './latency-buckets';
import { dimensionsOf, type MetricDimension, type StoredMeasure } from './measures';
import { SLICE_SECONDS } from './steps';

/**
 * Makes PostgreSQL look up by its indexes what the rows of a slice refer to, whatever the statistics of the newest
 * partitions say. For one transaction.
 */
export const ROLLUP_PLANS =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off';

/** Returns SQL for the start of the slice of an instant. */
const sliceOf = (instant: string): string =>
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
 * they have the same time. Rows that come later (a replay, a backfill) change nothing of it.
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
           and n.status in ('DELIVERED', 'SKIPPED')
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

const COMPLETED = `
  select ${sliceOf('first.at')} as at, e.tenant_id, e.source_id, e.type,
         ${bucketOf('extract(epoch from first.at - e.received_at) * 1000')} as bucket
    from (${MAYBE_COMPLETED}) candidate
   cross join lateral (${FIRST_COMPLETED}) first
   cross join lateral (
     select tenant_id, source_id, type, received_at from events where id = candidate.event_id limit 1
   ) e
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
     select tenant_id, type, status, failed_at from deliveries
      where event_id = ${attempt}.event_id and destination_id = ${attempt}.destination_id
        and generation = ${attempt}.generation limit 1
   ) d`;

const DELIVERED = `
  select ${sliceOf('a.at')} as at, d.tenant_id, a.destination_id, d.type, 0::smallint as bucket
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
  const keys = dimensions.map((dimension) => `('${dimension}', ${KEYS[dimension]})`).join(', ');
  return `
  select f.at, k.dimension, f.tenant_id, k.key, f.bucket, count(*) as count
    from (${FACTS[measure]}) f cross join lateral (values ${keys}) k (dimension, key)
   group by f.at, k.dimension, f.tenant_id, k.key, f.bucket`;
}

/** Returns SQL for the number of rows of each slice from $1 on and before $2 that the facts are made from. Columns: at, n. */
export const COUNT_FACTS = `
  select at, sum(n)::bigint as n
    from (select s.at, ids.n
            from generate_series($1::timestamptz, $2::timestamptz - interval '${SLICE_SECONDS} seconds',
                                 interval '${SLICE_SECONDS} seconds') s (at)
           cross join lateral (
             select (select count(*) from events e where ${idsOfSlice('e.id')})
                  + (select count(*) from rejections r where ${idsOfSlice('r.id')}) as n
           ) ids
          union all
          select ${sliceOf('created_at')}, count(*) from processing_attempts
           where ${isInRange('created_at')} group by 1
          union all
          select ${sliceOf('at')}, count(*) from delivery_attempts where ${isInRange('at')} group by 1
          union all
          select ${sliceOf('at')}, count(*) from delivery_closings where ${isInRange('at')} group by 1) each
   group by at`;

function idsOfSlice(id: string): string {
  return `${id} >= uuid_v7_floor(s.at) and ${id} < uuid_v7_floor(s.at + interval '${SLICE_SECONDS} seconds')`;
}
