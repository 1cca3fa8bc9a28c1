import type { Db } from '../db/pool';
import { USAGE_SLICE_SECONDS, type UsageProgress, type UsageSlices } from './decide-usage-slices';

/**
 * Makes PostgreSQL find the rows of a slice by indexes, and look up singly only what a lateral query asks for, whatever the
 * statistics of the newest partitions say. For one transaction.
 */
export const USAGE_PLANS =
  'set local enable_seqscan = off; set local enable_nestloop = off; set local enable_mergejoin = off; set local max_parallel_workers_per_gather = 0';

/** The slices from $1 on and before $2. */
const SLICES = `generate_series($1::timestamptz, $2::timestamptz - interval '${USAGE_SLICE_SECONDS} seconds',
                                interval '${USAGE_SLICE_SECONDS} seconds') s (at)`;

/** An event is of the slice of its id, which begins with the time of its receipt. */
const IDS = `e.id >= uuid_v7_floor(s.at) and e.id < uuid_v7_floor(s.at + interval '${USAGE_SLICE_SECONDS} seconds')`;

const SLICE_OF_ATTEMPT = `date_bin('${USAGE_SLICE_SECONDS} seconds', a.at, timestamptz '2000-01-01 00:00:00Z')`;
const DELIVERED = `a.at >= $1::timestamptz and a.at < $2::timestamptz and a.reason_code = 'PROCESSED'`;

/** The migration says where counting begins. Without that row, it begins now. */
export async function beginUsage(db: Db): Promise<void> {
  await db.query(
    `insert into chore_progress (name, position)
     values ('usage', floor(extract(epoch from now()) / $1::integer)::bigint * $1::integer)
     on conflict (name) do nothing`,
    [USAGE_SLICE_SECONDS],
  );
}

/** Before counting has begun, everything up to the present counts as counted. */
export async function readUsageProgress(db: Db): Promise<UsageProgress> {
  const { rows } = await db.query<UsageProgress>(
    `select coalesce(position::float8, extract(epoch from now())::float8) as "countedTo",
            extract(epoch from now())::float8 as now,
            (select to_char(open_from, 'YYYY-MM-DD') from usage_close) as "openFrom"
       from (values (1)) one left join chore_progress on name = 'usage'`,
  );
  return rows[0] as UsageProgress;
}

export async function recordCountedTo(db: Db, countedTo: number): Promise<void> {
  await db.query(`update chore_progress set position = $1, updated_at = now() where name = 'usage'`, [countedTo]);
}

/** Returns the slices of these ranges that have more rows now than they were made from, in seconds since 1970. */
export async function findLateUsageSlices(db: Db, ranges: readonly UsageSlices[]): Promise<number[]> {
  const bounds = ranges.map((_, i) => [`$${2 * i + 1}::timestamptz`, `$${2 * i + 2}::timestamptz`]);
  const slices = bounds.map(
    ([from, to]) => `select generate_series(${from}, ${to} - interval '${USAGE_SLICE_SECONDS} seconds',
                                            interval '${USAGE_SLICE_SECONDS} seconds')`,
  );
  const isIn = (at: string): string => bounds.map(([from, to]) => `(${at} >= ${from} and ${at} < ${to})`).join(' or ');
  const { rows } = await db.query<{ at: number }>(
    `with checked (at) as materialized (${slices.join(' union ')})
     select extract(epoch from at)::float8 as at
       from (select s.at, of_slice.events, 0 as deliveries
               from checked s cross join lateral (select count(*) as events from events e where ${IDS}) of_slice
             union all
             select ${SLICE_OF_ATTEMPT}, 0, count(*)
               from delivery_attempts a where a.reason_code = 'PROCESSED' and (${isIn('a.at')}) group by 1) counted
       left join (select at, sum(events) as events, sum(deliveries) as deliveries from usage_slices
                   where ${isIn('at')} group by at) made using (at)
      group by at
     having sum(counted.events) > coalesce(max(made.events), 0)
         or sum(counted.deliveries) > coalesce(max(made.deliveries), 0)`,
    ranges.flatMap(boundsOf),
  );
  return rows.map(({ at }) => at);
}

/** Makes slices from the rows that are committed now, in place of what they were before. */
export async function makeUsageSlices(db: Db, slices: UsageSlices): Promise<void> {
  const bounds = boundsOf(slices);
  await db.query('delete from usage_slices where at >= $1::timestamptz and at < $2::timestamptz', bounds);
  await db.query(
    `insert into usage_slices (at, tenant_id, type, events, bytes, deliveries)
     select at, tenant_id, type, sum(events), sum(bytes), sum(deliveries)
       from (select s.at, of_slice.* from ${SLICES}
              cross join lateral (
                select tenant_id, type, count(*) as events, sum(size_bytes) as bytes, 0 as deliveries
                  from events e where ${IDS} group by 1, 2) of_slice
             union all
             select ${SLICE_OF_ATTEMPT}, d.tenant_id, d.type, 0, 0, 1
               from delivery_attempts a
              cross join lateral (
                select tenant_id, type from deliveries
                 where event_id = a.event_id and destination_id = a.destination_id and generation = a.generation limit 1
              ) d
              where ${DELIVERED}) made
      group by 1, 2, 3`,
    bounds,
  );
}

/** Deletes slices from `from` on: their rows are counted as what has no slice yet. */
export async function forgetUsageSlices(db: Db, from: number): Promise<void> {
  await db.query('delete from usage_slices where at >= to_timestamp($1)', [from]);
}

/** Moves slices before `to` into the sums of their days. A day that is closed keeps its figures: they count in the first open one. */
export async function foldUsageSlices(db: Db, to: number): Promise<void> {
  await db.query(
    `with folded as (
       delete from usage_slices where at < to_timestamp($1) returning *
     )
     insert into usage_intake as u (tenant_id, day, type, events, bytes, deliveries)
     select tenant_id, greatest((at at time zone 'UTC')::date, (select open_from from usage_close)), type,
            sum(events), sum(bytes), sum(deliveries)
       from folded group by 1, 2, 3
     on conflict (tenant_id, day, type) do update
           set events = u.events + excluded.events, bytes = u.bytes + excluded.bytes,
               deliveries = u.deliveries + excluded.deliveries`,
    [to],
  );
}

/** From now on, nothing counts before this day. Transactions that have begun may still do. */
export async function openFrom(db: Db, day: string): Promise<void> {
  await db.query(
    `insert into usage_close (open_from, since) values ($1, now())
     on conflict (only_row) do update set open_from = excluded.open_from, since = excluded.since`,
    [day],
  );
}

const boundsOf = ({ from, to }: UsageSlices): string[] =>
  [from, to].map((seconds) => new Date(seconds * 1_000).toISOString());
