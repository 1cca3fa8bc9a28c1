import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * HTTP destinations. A worker holds all enabled ones in memory and reads one number, `destinations_version`, to find
 * out whether they have changed. Triggers raise that number, so that no statement can forget to.
 */
export class Destinations1764200000000 implements MigrationInterface {
  readonly name = 'Destinations1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation drop column destinations_key');
    await runner.query('drop table destinations, destinations_version');
    await runner.query('drop function raise_destinations_version, raise_destination_revision');
  }
}

const STATEMENTS = [
  // Secrets are sealed (src/destinations/secrets/secret-box.ts).
  `create table destinations (
     id uuid primary key,
     tenant_id text not null,
     url text not null,
     event_types text[] not null,
     enabled boolean not null,
     disabled_reason text,
     description text not null,
     timeout_ms integer not null,
     max_in_flight integer not null,
     secret bytea not null,
     previous_secret bytea,
     previous_secret_until timestamptz,
     revision integer not null default 1,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create index destinations_by_tenant on destinations (tenant_id, id)`,
  `create table destinations_version (version bigint not null)`,
  `insert into destinations_version values (1)`,
  // Only used where DESTINATIONS_SECRET_KEY is not set, which production refuses.
  `alter table installation add column destinations_key bytea`,
  `create function raise_destination_revision() returns trigger language plpgsql as $$
   begin
     new.revision := old.revision + 1;
     new.updated_at := now();
     return new;
   end $$`,
  `create trigger raise_revision before update on destinations
     for each row execute function raise_destination_revision()`,
  `create function raise_destinations_version() returns trigger language plpgsql as $$
   begin
     update destinations_version set version = version + 1;
     return null;
   end $$`,
  `create trigger raise_version after insert or update or delete or truncate on destinations
     for each statement execute function raise_destinations_version()`,
];
