import type { MigrationInterface, QueryRunner } from 'typeorm';
import { eventStatus, MORE_COLUMNS, OPEN_WORK } from './1764400000000-reporting';
import { ensurePartitions, WEEKLY } from './1764550000000-sources';

/**
 * Deliveries: one event for one destination.
 * - `deliveries` is the record. `delivery_queue` has one row for each open delivery. The queue is not partitioned, so the
 *   cost of a claim does not grow with the age of the installation.
 * - No index names `deliveries.status`, so that its updates stay HOT.
 * - A claim moves `due_at` to the end of its lease. A lease that has expired is simply due again.
 * - `event_status` remains the only definition of an event's status.
 *
 * The build before writes no deliveries. The events that it completes have none, and stay COMPLETED.
 */
export class Deliveries1764555000000 implements MigrationInterface {
  readonly name = 'Deliveries1764555000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
    await runner.query(ensurePartitions([...WEEKLY, 'deliveries', 'delivery_attempts']));
    await runner.query('select ensure_partitions()');
    await runner.query(DELIVERY_STATUS);
    await runner.query(`create or replace ${EVENT_STATUS}`);
    await runner.query(REPORTING_DELIVERIES);
    await runner.query(`create or replace view reporting.open_work as ${OPEN_WORK}
   union all
   select 'delivery', q.event_id, d.created_at
     from delivery_queue q
     join deliveries d on d.event_id = q.event_id and d.destination_id = q.destination_id and d.generation = q.generation`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop view reporting.deliveries`);
    await runner.query(`create or replace view reporting.open_work as ${OPEN_WORK}`);
    await runner.query(`create or replace ${eventStatus(`${MORE_COLUMNS}, e.source_id`)}`);
    await runner.query(ensurePartitions(WEEKLY));
    await runner.query('drop view delivery_status');
    await runner.query(
      `drop table deliveries, delivery_queue, delivery_attempts, destination_failures, destination_minutes, delivery_workers`,
    );
    await runner.query('alter table destinations drop column paused_at');
    await runner.query('alter table processing_attempts drop column exhausted');
    await runner.query('alter table dead_letters drop column exhausted');
  }
}

const TABLES = [
  // attempts counts all attempts and is never reset. tries counts those that used up a place in the retry schedule since
  // the delivery was opened. replay_id is null if settling the event made the delivery. failed_at is set while the status
  // is FAILED or DISCARDED.
  `create table deliveries (
     event_id uuid not null,
     destination_id uuid not null,
     generation integer not null,
     tenant_id text not null,
     type text not null,
     status text not null check (status in ('OPEN', 'DELIVERED', 'FAILED', 'DISCARDED', 'SKIPPED')),
     attempts integer not null default 0,
     tries integer not null default 0,
     exhausted boolean not null default false,
     last_reason_code text,
     last_status_code integer,
     last_error text,
     replay_id uuid,
     created_at timestamptz not null default now(),
     settled_at timestamptz,
     failed_at timestamptz,
     primary key (event_id, destination_id, generation)
   ) partition by range (event_id)`,
  `create index deliveries_failed on deliveries (event_id) where failed_at is not null`,
  `create index deliveries_failed_of_tenant on deliveries (tenant_id, event_id) where failed_at is not null`,
  `create table deliveries_default partition of deliveries default`,

  // lease is null if no worker holds the delivery.
  `create table delivery_queue (
     event_id uuid not null,
     destination_id uuid not null,
     generation integer not null,
     due_at timestamptz not null default now(),
     lease uuid,
     primary key (event_id, destination_id, generation)
   ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`,
  // The condition is always true. It hides this index from look-ups by key, for which PostgreSQL would choose it while the
  // queue is small, and then read the whole backlog of a destination for each row.
  `create index delivery_queue_due on delivery_queue (destination_id, due_at) where due_at > '-infinity'`,

  // Append-only. response_excerpt is masked and at most 1 kB long.
  `create table delivery_attempts (
     event_id uuid not null,
     destination_id uuid not null,
     generation integer not null,
     attempt_number integer not null,
     at timestamptz not null default now(),
     reason_code text not null,
     status_code integer,
     duration_ms integer not null,
     response_excerpt text,
     worker text not null,
     primary key (event_id, destination_id, generation, attempt_number)
   ) partition by range (event_id)`,
  `create table delivery_attempts_default partition of delivery_attempts default`,

  // A destination has a row while its newest answers are failures. open_until is null while its circuit is closed.
  `create table destination_failures (
     destination_id uuid primary key,
     failing_since timestamptz not null default now(),
     open_until timestamptz,
     open_seconds double precision,
     last_reason_code text not null,
     last_status_code integer,
     last_error text,
     updated_at timestamptz not null default now()
   )`,
  // latency_ms counts successful attempts by duration (src/delivery-state/latency-bounds.ts).
  `create table destination_minutes (
     destination_id uuid not null,
     minute timestamptz not null,
     delivered integer not null,
     failed integer not null,
     latency_ms integer[] not null,
     primary key (destination_id, minute)
   )`,
  // The live worker processes, which share the limits of each destination.
  `create table delivery_workers (id uuid primary key, seen_at timestamptz not null default now())`,
  `alter table destinations add column paused_at timestamptz`,
  // Whether the failure used up the last attempt. The reason code remains that of the cause. The build before writes
  // RETRY_EXHAUSTED as the reason instead.
  `alter table processing_attempts add column exhausted boolean not null default false`,
  `alter table dead_letters add column exhausted boolean not null default false`,
];

export const DELIVERY_STATUS = `create view delivery_status as
  select d.event_id, d.destination_id, d.generation, d.tenant_id, d.type,
         case when d.status <> 'OPEN' then d.status
              when q.lease is not null and q.due_at > now() then 'IN_FLIGHT'
              when d.attempts > 0 then 'RETRYING'
              else 'PENDING' end as status,
         d.attempts, d.exhausted, d.last_reason_code, d.last_status_code, d.last_error,
         case when d.status = 'OPEN' and d.attempts > 0 and (q.lease is null or q.due_at <= now()) then q.due_at end
           as next_attempt_at,
         case when d.status = 'DELIVERED' then d.settled_at end as delivered_at,
         d.settled_at, d.created_at, d.replay_id,
         not exists (select from deliveries newer
                      where newer.event_id = d.event_id and newer.destination_id = d.destination_id
                        and newer.generation > d.generation) as newest
    from deliveries d
    left join delivery_queue q
           on q.event_id = d.event_id and q.destination_id = d.destination_id and q.generation = d.generation`;

/**
 * Once the handlers are done, the newest delivery to each destination decides (eventStatusOf in src/event says how).
 * - `active`: under way, or due, or due for its first try at a set time. `open and not active` waits for its next try, or
 *   its destination is paused.
 * - `own` is the newest delivery to a destination that settling the event made. Those of backfills leave `completed_at` as
 *   it is, once the event has completed without them. An event without own deliveries completed with its handlers.
 * - The subquery names `deliveries` once, because each mention of a partitioned table adds to the time of planning.
 */
export const EVENT_STATUS = `view event_status as
  select e.id as event_id, e.tenant_id,
         case when done.event_id is not null then coalesce(d.status, 'COMPLETED')
              when s.status in ('RETRYING', 'DLQ', 'DISCARDED') then s.status
              when o.id is null or o.status = 'PUBLISHED' then 'PUBLISHED'
              else 'RECEIVED' end as status,
         case when o.status = 'PUBLISHED' then o.closed_at end as published_at,
         case when d.status is null then done.created_at
              when d.own_completed then greatest(done.created_at, d.own_settled_at)
              when d.status = 'COMPLETED' then greatest(done.created_at, d.settled_at) end as completed_at,
         coalesce(due.due_at, d.next_attempt_at) as next_attempt_at,
         coalesce(d.last_error, s.last_error) as last_error${MORE_COLUMNS}, e.source_id
    from events e
    left join event_state s on s.event_id = e.id
    left join outbox o on o.id = coalesce(s.outbox_id, e.outbox_id)
    left join processing_attempts done
           on done.event_id = e.id and done.generation = coalesce(s.generation, 1) and done.status = 'SUCCESS'
    left join retry_schedule due on due.event_id = e.id
    left join lateral (
      select case when bool_or(newest and active) or bool_and(paused) filter (where newest and open) then 'DELIVERING'
                  when bool_or(newest and open) then 'RETRYING'
                  when bool_or(newest and stored = 'FAILED') then 'DLQ'
                  when bool_or(newest and stored = 'DISCARDED') then 'DISCARDED'
                  else 'COMPLETED' end as status,
             case when not bool_or(newest and active)
                  then min(due_at) filter (where newest and open and not paused) end as next_attempt_at,
             coalesce(bool_and(stored in ('DELIVERED', 'SKIPPED')) filter (where own), true) as own_completed,
             max(settled_at) filter (where own) as own_settled_at,
             max(settled_at) filter (where newest) as settled_at,
             (array_agg(last_error order by failed_at desc nulls last)
                filter (where newest and (open or stored = 'FAILED')))[1] as last_error
        from (select n.status as stored, n.status = 'OPEN' as open, n.settled_at, n.last_error, n.failed_at, q.due_at,
                     to_.paused_at is not null as paused,
                     n.status = 'OPEN' and case when q.lease is not null and q.due_at > now() then true
                                                when to_.paused_at is not null then false
                                                else n.attempts = 0 or q.due_at is null or q.due_at <= now() end as active,
                     row_number() over (partition by n.destination_id order by n.generation desc) = 1 as newest,
                     n.replay_id is null
                       and row_number() over (partition by n.destination_id, n.replay_id is null
                                                  order by n.generation desc) = 1 as own
                from deliveries n
                left join delivery_queue q
                       on q.event_id = n.event_id and q.destination_id = n.destination_id and q.generation = n.generation
                left join destinations to_ on to_.id = n.destination_id
               where n.event_id = e.id) each
      having count(*) > 0
    ) d on done.event_id is not null`;

const REPORTING_DELIVERIES = `create view reporting.deliveries as
  select event_id, destination_id, generation, status, attempts, exhausted, last_reason_code, last_status_code,
         next_attempt_at, delivered_at
    from delivery_status`;
