import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The reporting views (docs/reporting.md). They are an interface for BI tools and external checks: later migrations
 * keep it, while the tables below it may change.
 * - `event_status` remains the only definition of an event's status. It gets more columns, at its end, so that
 *   `reporting.events` needs no join with `events`: with that join, a range of ids would read all events.
 * - `reporting.deliveries` and `reporting.rejections` follow when their tables exist.
 * - No statement here waits for writers: a view locks the tables that it reads only as a SELECT does.
 */
export class Reporting1764400000000 implements MigrationInterface {
  readonly name = 'Reporting1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create or replace ${eventStatus(MORE_COLUMNS)}`);
    const [schema] = (await runner.query(`select to_regnamespace('reporting') is not null as exists`)) as {
      exists: boolean;
    }[];
    // `create schema if not exists` needs CREATE on the database even when an administrator has created the schema.
    if (!schema?.exists) await runner.query('create schema reporting');
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view reporting.events, reporting.attempts, reporting.usage, reporting.open_work');
    await runner.query('drop function reporting.id_floor');
    await runner.query('drop schema reporting');
    await runner.query('drop view event_status');
    await runner.query(`create ${eventStatus('')}`);
  }
}

/** The view of the initial schema, with `more` columns at its end. */
export const eventStatus = (more: string): string => `view event_status as
  select e.id as event_id, e.tenant_id,
         case when done.event_id is not null then 'COMPLETED'
              when s.status in ('RETRYING', 'DLQ', 'DISCARDED') then s.status
              when o.id is null or o.status = 'PUBLISHED' then 'PUBLISHED'
              else 'RECEIVED' end as status,
         case when o.status = 'PUBLISHED' then o.closed_at end as published_at,
         done.created_at as completed_at,
         due.due_at as next_attempt_at,
         s.last_error${more}
    from events e
    left join event_state s on s.event_id = e.id
    left join outbox o on o.id = coalesce(s.outbox_id, e.outbox_id)
    left join processing_attempts done
           on done.event_id = e.id and done.generation = coalesce(s.generation, 1) and done.status = 'SUCCESS'
    left join retry_schedule due on due.event_id = e.id`;

export const MORE_COLUMNS = `,
         coalesce(s.generation, 1) as generation,
         e.event_id as producer_event_id, e.type, e.subject, e.source, e.size_bytes, e.occurred_at, e.received_at`;

/**
 * outbox: entries that are not PUBLISHED. FAILED ones wait for an operator.
 * dispatch: the broker has confirmed the newest dispatch, and no worker has settled it. The reconciler only passes
 *   entries that are settled or were dispatched again, so all open dispatches lie after its position. `offset 0`
 *   makes the planner look up each one by key, however many it expects. The upper bound excludes nothing. It changes
 *   the estimate: 1 entry in 200 between two bounds, 1 in 3 above a single one. With the latter estimate the planner
 *   compiled the query (5 s) or read the whole table.
 * replay: until the replay has recorded the outcome of the event.
 */
export const OPEN_WORK = `select 'outbox'::text as kind, o.event_id, o.created_at as since from outbox o where o.closed_at is null
   union all
   select 'outbox', o.event_id, o.created_at from outbox o where o.failed_at is not null
   union all
   select 'dispatch', o.event_id, o.closed_at
     from (select id, event_id, generation, closed_at from outbox
            where id > coalesce((select position from chore_progress where name = 'reconciler'), 0)
              and id <= (select max(id) from outbox)
              and status = 'PUBLISHED' and destination <> 'dlq' offset 0) o
     left join lateral (
       select s.status, s.outbox_id from event_state s where s.event_id = o.event_id offset 0
     ) s on true
     left join lateral (
       select true as yes from processing_attempts a
        where a.event_id = o.event_id and a.generation = o.generation and a.status = 'SUCCESS' limit 1
     ) done on true
    where (s.status is null or s.status = 'DISPATCHED' and coalesce(s.outbox_id, o.id) = o.id) and done.yes is null
   union all
   select 'retry', r.event_id, s.updated_at from retry_schedule r left join event_state s on s.event_id = r.event_id
   union all
   select 'replay', r.event_id, replays.created_at
     from replay_events r left join replays on replays.id = r.replay_id
    where r.outcome in ('PENDING', 'DISPATCHED')`;

const STATEMENTS = [
  // The same bound as uuid_v7_floor, but part of the interface and parallel safe.
  `create function reporting.id_floor(moment timestamptz) returns uuid immutable parallel safe language sql as $$
     select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
   $$`,

  // source_id is always null until events can come through a source.
  `create view reporting.events as
   select event_id as id, tenant_id, producer_event_id as event_id, type, subject, source, null::uuid as source_id,
          generation, status, size_bytes, occurred_at, received_at, published_at, completed_at, next_attempt_at
     from event_status`,

  // Two halves, because successes and failures have separate indexes.
  `create view reporting.attempts as
   select event_id, generation, dispatch_no as dispatch, attempt_number, status, reason_code, duration_ms, created_at
     from processing_attempts where status = 'SUCCESS'
   union all
   select event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms, created_at
     from processing_attempts where status <> 'SUCCESS'`,

  `create view reporting.usage as select tenant_id, day, type, events, bytes from usage_daily`,

  `create view reporting.open_work as ${OPEN_WORK}`,
];
