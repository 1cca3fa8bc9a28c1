import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tables for operators: replays, the audit trail, and the resolution of dead letters.
 * - events gets one more index, (tenant_id, id), for a tenant's newest events. It costs ingest about 4 µs per event.
 *   Because of that cost, type and subject have none: a search by them scans a bounded number of events per page.
 * - dead_letters is the record of all dead letters. A row is resolved, never deleted, and is open again when its event
 *   fails again.
 */
export class Admin1764100000000 implements MigrationInterface {
  readonly name = 'Admin1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    const statements = [
      'drop index events_of_tenant',
      'drop index event_state_attention',
      'drop trigger dead_letters_reopen on dead_letters',
      'drop function reopen_dead_letter',
      'drop index dead_letters_unresolved_of_tenant',
      'drop index dead_letters_unresolved',
      `alter table dead_letters drop column message_group, drop column note, drop column resolution, drop column resolved_at`,
      'drop function failure_group',
      'drop table admin_audit, replay_events, replays',
    ];
    for (const statement of statements) await runner.query(statement);
  }
}

const UP = [
  `create table replays (
     id uuid primary key,
     mode text not null check (mode in ('reprocess', 'republish')),
     status text not null default 'RUNNING' check (status in ('RUNNING', 'DONE', 'CANCELLED')),
     filter jsonb not null,
     matched integer not null,
     more boolean not null,
     requested_by text not null,
     correlation_id text not null,
     created_at timestamptz not null default now(),
     finished_at timestamptz
   )`,
  `create index replays_unfinished on replays (id) where finished_at is null`,

  // The events of a replay and the outcome of each. generation, dispatch_no and outbox_id identify its dispatch.
  `create table replay_events (
     replay_id uuid not null,
     event_id uuid not null,
     outcome text not null default 'PENDING'
       check (outcome in ('PENDING', 'DISPATCHED', 'COMPLETED', 'DEAD_LETTERED', 'SKIPPED', 'CANCELLED')),
     reason text,
     generation integer,
     dispatch_no integer,
     outbox_id bigint,
     dispatched_at timestamptz,
     settled_at timestamptz,
     primary key (replay_id, event_id)
   )`,
  // An event belongs to at most one running replay, even when two are started at once.
  `create unique index replay_events_open on replay_events (event_id) where outcome in ('PENDING', 'DISPATCHED')`,
  `create index replay_events_by_event on replay_events (event_id) where dispatched_at is not null`,

  `create table admin_audit (
     id uuid primary key,
     at timestamptz not null default now(),
     actor text not null,
     action text not null,
     filter jsonb not null,
     counts jsonb not null,
     note text,
     correlation_id text not null
   )`,

  // Failures are grouped by their message, without the ids and numbers that differ from event to event.
  `create function failure_group(message text) returns text immutable parallel safe language sql as $$
     select left(regexp_replace(regexp_replace(regexp_replace(regexp_replace(left(coalesce(message, ''), 1000),
       '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'gi'),
       '\\m(0x[0-9a-f]+|(?=[0-9a-f]*[0-9])[0-9a-f]{8,})\\M', '<hex>', 'gi'),
       '\\d+(\\.\\d+)*', '<n>', 'g'),
       '\\s+', ' ', 'g'), 200)
   $$`,
  `alter table dead_letters
     add column resolved_at timestamptz,
     add column resolution text check (resolution in ('RETRIED', 'REPLAYED', 'DISCARDED')),
     add column note text,
     add column message_group text not null generated always as (failure_group(error_message)) stored`,
  `create index dead_letters_unresolved on dead_letters (event_id) where resolved_at is null`,
  `create index dead_letters_unresolved_of_tenant on dead_letters (tenant_id, event_id) where resolved_at is null`,
  // The worker writes the row of an event that fails for good. A row that was resolved before is open again.
  `create function reopen_dead_letter() returns trigger language plpgsql as $$
   begin
     new.resolved_at := null;
     new.resolution := null;
     new.note := null;
     return new;
   end $$`,
  `create trigger dead_letters_reopen before update on dead_letters for each row
     when (new.last_failed_at is distinct from old.last_failed_at) execute function reopen_dead_letter()`,

  `create index event_state_attention on event_state (status, event_id)
     where status in ('RETRYING', 'DLQ', 'DISCARDED')`,
  `create index events_of_tenant on events (tenant_id, id)`,
];
