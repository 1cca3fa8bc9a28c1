import type { MigrationInterface, QueryRunner } from 'typeorm';
import { eventStatus, MORE_COLUMNS } from './1764400000000-reporting';

/**
 * Sources, what they received, and what was refused.
 * - An api process holds all sources in memory and reads one number, `sources_version`, to find out whether they have
 *   changed.
 * - `received_requests` has one row for each request of a source that led to an event. It lies in weeks beside the
 *   events and is dropped with them.
 * - `rejections` has one row for each refused record. It has weeks and a retention of its own.
 *
 * The build before leaves the new columns of `events` empty and does not read them.
 */
export class Sources1764550000000 implements MigrationInterface {
  readonly name = 'Sources1764550000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
    await runner.query(ensurePartitions(WEEKLY));
    await runner.query('select ensure_partitions()');
    await runner.query(`create or replace ${eventStatus(`${MORE_COLUMNS}, e.source_id`)}`);
    await runner.query(`create or replace ${eventsView('source_id')}`);
    await runner.query(
      `create view reporting.rejections as select id, tenant_id, source_id, code, received_at from rejections`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view reporting.rejections, reporting.events, event_status');
    await runner.query(`create ${eventStatus(MORE_COLUMNS)}`);
    await runner.query(`create ${eventsView('null::uuid as source_id')}`);
    await runner.query(ensurePartitions(['events', 'processing_attempts']));
    await runner.query('drop table sources, sources_version, source_samples, received_requests, rejections');
    await runner.query('drop function raise_source_revision, raise_sources_version');
    await runner.query('alter table events drop column source_id, drop column request_id');
  }
}

/** The tables with a partition a week. */
export const WEEKLY = ['events', 'processing_attempts', 'received_requests', 'rejections'];

const eventsView = (sourceId: string): string => `view reporting.events as
  select event_id as id, tenant_id, producer_event_id as event_id, type, subject, source, ${sourceId},
         generation, status, size_bytes, occurred_at, received_at, published_at, completed_at, next_attempt_at
    from event_status`;

const TABLES = [
  // Secrets are sealed (src/destinations/secrets/secret-box.ts), the newest first. A token is stored as its SHA-256.
  `create table sources (
     id uuid primary key,
     tenant_id text not null,
     name text not null,
     uid text,
     provider text not null,
     verification jsonb,
     mapping jsonb not null,
     answers jsonb not null,
     accept jsonb,
     handshake text,
     expect_every_seconds integer,
     allow_unverified boolean not null,
     status text not null check (status in ('active', 'paused')),
     secrets bytea[] not null check (cardinality(secrets) <= 2),
     second_secret_until timestamptz,
     token_digest bytea not null unique,
     token_hint text not null,
     previous_token_digest bytea unique,
     previous_token_until timestamptz,
     revision integer not null default 1,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create index sources_by_tenant on sources (tenant_id, id)`,
  `create unique index sources_by_uid on sources (tenant_id, uid)`,
  `create table sources_version (version bigint not null)`,
  `insert into sources_version values (1)`,
  `create function raise_source_revision() returns trigger language plpgsql as $$
   begin
     new.revision := old.revision + 1;
     new.updated_at := now();
     return new;
   end $$`,
  `create trigger raise_revision before update on sources for each row execute function raise_source_revision()`,
  `create function raise_sources_version() returns trigger language plpgsql as $$
   begin
     update sources_version set version = version + 1;
     return null;
   end $$`,
  `create trigger raise_version after insert or update or delete or truncate on sources
     for each statement execute function raise_sources_version()`,

  // The last requests of each source, for the inspector. They may be lost, so they cost no WAL.
  `create unlogged table source_samples (
     source_id uuid not null,
     id uuid not null,
     sample json not null,
     primary key (source_id, id)
   )`,

  // `body` is null where it equals the payload of the only event of the request.
  `create table received_requests (
     id uuid primary key,
     source_id uuid not null,
     request json not null,
     body bytea
   ) partition by range (id)`,
  `create table received_requests_default partition of received_requests default`,
  `alter table events add column source_id uuid, add column request_id uuid`,

  // `body` holds at most MAX_EVENT_BYTES. size_bytes and digest (SHA-256) are those of the whole body or record.
  `create table rejections (
     id uuid primary key,
     tenant_id text not null,
     source_id uuid,
     endpoint text not null,
     code text not null,
     pointer text,
     message text not null,
     record_number integer,
     request_key text,
     conflicts_with uuid,
     correlation_id text not null,
     received_at timestamptz not null,
     content_type text,
     size_bytes integer not null,
     digest bytea not null,
     request json,
     body bytea not null
   ) partition by range (id)`,
  `create index rejections_by_tenant on rejections (tenant_id, id)`,
  `create table rejections_default partition of rejections default`,
];

/** The function of the initial schema, for these tables with a partition a week. */
export const ensurePartitions = (weekly: readonly string[]): string => `
  create or replace function ensure_partitions() returns integer language plpgsql as $$
  declare
    made integer := 0;
    week timestamptz;
    day timestamptz;
    suffix text;
    parent text;
  begin
    for i in -1..5 loop
      week := date_trunc('week', now(), 'UTC') + i * interval '7 days';
      suffix := to_char(week at time zone 'UTC', '"_y"IYYY"w"IW');
      foreach parent in array array[${weekly.map((name) => `'${name}'`).join(', ')}] loop
        made := made + attach_partition(parent, parent || suffix,
          uuid_v7_floor(week)::text, uuid_v7_floor(week + interval '7 days')::text, '');
      end loop;
    end loop;
    for i in -1..8 loop
      day := date_trunc('day', now(), 'UTC') + i * interval '1 day';
      made := made + attach_partition('outbox', 'outbox' || to_char(day at time zone 'UTC', '"_d"YYYYMMDD'),
        day::text, (day + interval '1 day')::text, 'with (fillfactor = 50)');
    end loop;
    return made;
  end $$`;
