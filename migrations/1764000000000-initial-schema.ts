import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema. Its design decisions:
 * - The ids contain the time (UUIDv7). Events and attempts are partitioned by id, and retention drops partitions.
 * - `events` is insert-only; the outbox is thin (no payload) and has one partial index, on open entries.
 * - A state row exists only for events that failed or were dispatched again. The view event_status derives the others.
 * - No foreign keys on the hot path: each would cost a lock and a look-up per row, and keep partitions from being
 *   dropped.
 */
export class InitialSchema1764000000000 implements MigrationInterface {
  readonly name = 'InitialSchema1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...FUNCTIONS, VIEW, 'select ensure_partitions()']) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view event_status');
    await runner.query(
      `drop table events, idempotency_keys, outbox, processing_attempts, event_state, retry_schedule, dead_letters,
         handler_effects, usage_daily, chore_progress, installation`,
    );
    await runner.query('drop sequence outbox_id_seq');
    await runner.query('drop function ensure_partitions, attach_partition, uuid_v7_floor, refuse_partial_claim');
  }
}

const TABLES = [
  // The payload is json, not jsonb: json keeps the text as it was sent (1.10, 1e3, the order of names, 1e200000).
  // outbox_id is the entry of the first dispatch. Reading an event therefore needs no index on outbox.event_id.
  `create table events (
     id uuid primary key,
     outbox_id bigint not null,
     occurred_at timestamptz not null,
     received_at timestamptz not null,
     size_bytes integer not null,
     tenant_id text not null,
     event_id text not null,
     type text not null,
     subject text not null,
     partition_key text not null,
     source text not null,
     schema_version text not null,
     spec_version text not null,
     correlation_id text not null,
     traceparent text,
     hash bytea not null,
     payload json not null
   ) partition by range (id)`,
  `create index events_by_event_id on events (tenant_id, event_id)`,
  `create table events_default partition of events default`,

  // The digest includes the kind of the key (idempotency-key.ts). created_at is for pruning.
  `create table idempotency_keys (
     digest bytea primary key,
     event_id uuid not null,
     fingerprint bytea not null,
     created_at timestamptz not null default now()
   )`,
  `create index idempotency_keys_by_age on idempotency_keys using brin (created_at)`,

  // This layout was chosen by measurement (npm run bench:outbox, PostgreSQL 18, 2 cores). bytes and HOT: WAL bytes and
  // share of HOT updates for insert, claim and close of an entry. claim ms: median claim of 1000 entries after 0, 100 k
  // and 1 M published ones. one waits: the same while one old entry waits for its next attempt. old snapshot: the same
  // while an old transaction keeps dead rows from being removed.
  //
  //   layout                                              bytes   HOT        claim ms   one waits   old snapshot
  //   payload in the row, lease columns indexed            3121    0 %   17 / 13 / 20          17             34
  //   thin row, lease columns indexed                      1286    0 %   16 / 10 / 11          11             20
  //   thin row, partial index on open rows, fillfactor 50   744   42 %    5 /  5 /  5           5             15  <- this
  //   the same, fillfactor 70                               780   33 %   10 /  6 /  5           6             17
  //   thin row, primary key only, scan floor                519   97 %    4 /  4 /  4         206              4
  //   thin row, primary key only, deleted when published    478   83 %    5 /  6 /  9           –             11
  //
  // Without an index of open rows, one waiting entry makes every claim read all entries published after it. Without the
  // published rows, the reconciler has nothing to follow. Those two costs outweigh 225 bytes of WAL.
  // Known weakness: while a backup or another long transaction runs, claims step over index entries of closed rows.
  //
  // closed_at is set when an entry becomes PUBLISHED or FAILED, failed_at when it becomes FAILED. (Index predicates on
  // status would rule out HOT updates.) A claim changes no indexed column, so it stays HOT.
  `create sequence outbox_id_seq`,
  `create table outbox (
     id bigint not null default nextval('outbox_id_seq'),
     created_at timestamptz not null default now(),
     event_id uuid not null,
     dispatch_no integer not null default 1,
     generation integer not null default 1,
     destination text not null check (destination in ('main', 'retry', 'dlq')),
     status text not null default 'PENDING' check (status in ('PENDING', 'IN_FLIGHT', 'PUBLISHED', 'FAILED')),
     attempts integer not null default 0,
     lock_owner uuid,
     lock_acquired_at timestamptz,
     next_attempt_at timestamptz,
     closed_at timestamptz,
     failed_at timestamptz,
     last_error text,
     primary key (id, created_at)
   ) partition by range (created_at)`,
  `create index outbox_open on outbox (id) where closed_at is null`,
  `create index outbox_failed on outbox (id) where failed_at is not null`,
  `create table outbox_default partition of outbox default with (fillfactor = 50)`,

  // One row per attempt, append-only (I6). The SUCCESS row is the inbox record (I7).
  `create table processing_attempts (
     event_id uuid not null,
     generation integer not null,
     dispatch_no integer not null,
     attempt_number integer not null,
     status text not null check (status in ('SUCCESS', 'RETRY', 'DLQ')),
     reason_code text not null,
     error_message text,
     duration_ms integer not null,
     worker text not null,
     created_at timestamptz not null default now()
   ) partition by range (event_id)`,
  `create unique index processing_attempts_one_success on processing_attempts (event_id, generation)
     where status = 'SUCCESS'`,
  `create index processing_attempts_failed on processing_attempts (event_id) where status <> 'SUCCESS'`,
  `create table processing_attempts_default partition of processing_attempts default`,

  // Rows only for events that failed, were dispatched again or were replayed. dispatch_no is the newest dispatch (I11).
  `create table event_state (
     event_id uuid primary key,
     status text not null check (status in ('DISPATCHED', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED')),
     generation integer not null,
     dispatch_no integer not null,
     attempts integer not null,
     outbox_id bigint,
     last_error text,
     updated_at timestamptz not null default now()
   )`,
  `create table retry_schedule (
     event_id uuid primary key,
     dispatch_no integer not null,
     generation integer not null,
     due_at timestamptz not null
   )`,
  `create index retry_schedule_due on retry_schedule (due_at)`,
  `create table dead_letters (
     event_id uuid primary key,
     tenant_id text not null,
     type text not null,
     reason_code text not null,
     error_message text,
     attempts integer not null,
     first_failed_at timestamptz not null,
     last_failed_at timestamptz not null
   )`,
  `create table handler_effects (
     event_id uuid not null,
     generation integer not null,
     handler text not null,
     created_at timestamptz not null default now(),
     primary key (event_id, generation, handler)
   )`,
  `create table usage_daily (
     tenant_id text not null,
     day date not null,
     type text not null,
     events bigint not null,
     bytes bigint not null,
     primary key (tenant_id, day, type)
   ) with (fillfactor = 50)`,

  // The progress of each chore, so that a new leader continues where the old one stopped.
  `create table chore_progress (
     name text primary key,
     position bigint not null,
     updated_at timestamptz not null default now()
   )`,
  // One row that identifies this database. Cache keys contain it, so that they never answer for another database (I2).
  `create table installation (incarnation uuid not null default gen_random_uuid())`,
  `insert into installation default values`,
];

const FUNCTIONS = [
  // The smallest UUIDv7 of an instant, which is the bound between two partitions.
  `create function uuid_v7_floor(moment timestamptz) returns uuid immutable language sql as $$
     select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
   $$`,
  // Creates a table and then attaches it, which takes a weaker lock on the parent than CREATE TABLE .. PARTITION OF.
  `create function attach_partition(parent text, name text, lower text, upper text, options text) returns integer
   language plpgsql as $$
   declare
     key name := (select a.attname from pg_partitioned_table p
                    join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
                   where p.partrelid = parent::regclass);
   begin
     if to_regclass(name) is not null then return 0; end if;
     execute format('create table %I (like %I including all) %s', name, parent, options);
     -- Rows that came before their partition was made lie in the default one, which would refuse the new bounds.
     execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
       parent || '_default', key, lower, key, upper, name);
     execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, name, lower, upper);
     return 1;
   end $$`,
  // Creates the missing partitions, from one period back (clocks differ a little) to five weeks or eight days ahead.
  // Returns their number.
  `create function ensure_partitions() returns integer language plpgsql as $$
   declare
     made integer := 0;
     week timestamptz;
     day timestamptz;
     suffix text;
   begin
     for i in -1..5 loop
       week := date_trunc('week', now(), 'UTC') + i * interval '7 days';
       suffix := to_char(week at time zone 'UTC', '"_y"IYYY"w"IW');
       made := made
         + attach_partition('events', 'events' || suffix,
             uuid_v7_floor(week)::text, uuid_v7_floor(week + interval '7 days')::text, '')
         + attach_partition('processing_attempts', 'processing_attempts' || suffix,
             uuid_v7_floor(week)::text, uuid_v7_floor(week + interval '7 days')::text, '');
     end loop;
     for i in -1..8 loop
       day := date_trunc('day', now(), 'UTC') + i * interval '1 day';
       made := made + attach_partition('outbox', 'outbox' || to_char(day at time zone 'UTC', '"_d"YYYYMMDD'),
         day::text, (day + interval '1 day')::text, 'with (fillfactor = 50)');
     end loop;
     return made;
   end $$`,
  // Aborts the whole batch when an event got only one of its two keys; see store-batch.queries.ts.
  `create function refuse_partial_claim() returns boolean language plpgsql as $$
   begin
     raise exception using errcode = 'SF001', message = 'an event got only one of its two idempotency keys';
   end $$`,
];

const VIEW = `create view event_status as
  select e.id as event_id, e.tenant_id,
         case when done.event_id is not null then 'COMPLETED'
              when s.status in ('RETRYING', 'DLQ', 'DISCARDED') then s.status
              when o.id is null or o.status = 'PUBLISHED' then 'PUBLISHED'
              else 'RECEIVED' end as status,
         case when o.status = 'PUBLISHED' then o.closed_at end as published_at,
         done.created_at as completed_at,
         due.due_at as next_attempt_at,
         s.last_error
    from events e
    left join event_state s on s.event_id = e.id
    left join outbox o on o.id = coalesce(s.outbox_id, e.outbox_id)
    left join processing_attempts done
           on done.event_id = e.id and done.generation = coalesce(s.generation, 1) and done.status = 'SUCCESS'
    left join retry_schedule due on due.event_id = e.id`;
