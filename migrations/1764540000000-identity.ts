import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tenants, their API keys and operators. An api process holds all of them in memory and reads one number,
 * `access_version`, to find out whether they have changed. Each row has the version of its latest change, so that the
 * process reads changed rows only. The build before does not use these tables, and leaves the new columns of
 * `admin_audit` empty.
 */
export class Identity1764540000000 implements MigrationInterface {
  readonly name = 'Identity1764540000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table admin_audit drop column role, drop column address, drop column tenant_ids');
    await runner.query('drop table tenants, api_keys, operators, access_version');
    await runner.query('drop function raise_access_version');
  }
}

const STATEMENTS = [
  `create table access_version (version bigint not null)`,
  `insert into access_version values (1)`,
  `create table tenants (
     id text primary key,
     name text not null,
     status text not null default 'active' check (status in ('active', 'suspended')),
     events_per_minute integer check (events_per_minute >= 0),
     bytes_per_minute bigint check (bytes_per_minute >= 0),
     metadata jsonb not null default '{}',
     version bigint not null,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  // `digest` is the SHA-256 of the secret part of a key or token (src/access/identity/credential.ts).
  `create table api_keys (
     id text primary key,
     tenant_id text not null,
     name text not null,
     digest bytea not null,
     scopes text[] not null,
     allow text[],
     created_by text not null,
     created_at timestamptz not null default now(),
     expires_at timestamptz,
     revoked_at timestamptz,
     last_used_at timestamptz,
     version bigint not null
   )`,
  `create index api_keys_by_tenant on api_keys (tenant_id, id)`,
  `create index api_keys_by_version on api_keys (version)`,
  `create table operators (
     id text primary key,
     name text not null,
     digest bytea not null,
     role text not null check (role in ('viewer', 'support', 'operator', 'owner')),
     tenant_ids text[],
     created_by text not null,
     created_at timestamptz not null default now(),
     expires_at timestamptz,
     revoked_at timestamptz,
     last_used_at timestamptz,
     version bigint not null
   )`,
  // Two live operators with one name could not be told apart in the audit trail.
  `create unique index operators_by_name on operators (name) where revoked_at is null`,
  // The row lock on access_version makes the versions commit in their order, so that a reader misses none.
  `create function raise_access_version() returns trigger language plpgsql as $$
   begin
     update access_version set version = version + 1 returning version into new.version;
     return new;
   end $$`,
  `create trigger raise_version before insert or update on tenants
     for each row execute function raise_access_version()`,
  // Not for last_used_at, which every process writes once a minute.
  `create trigger raise_version before insert or update of name, digest, scopes, allow, expires_at, revoked_at on api_keys
     for each row execute function raise_access_version()`,
  `create trigger raise_version before insert or update of name, digest, role, tenant_ids, expires_at, revoked_at on operators
     for each row execute function raise_access_version()`,
  `alter table admin_audit add column role text, add column address text, add column tenant_ids text[]`,
];
