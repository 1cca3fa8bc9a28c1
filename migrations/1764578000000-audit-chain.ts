import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the audit trail append-only, and prepares the chain of digests over it (src/audit). The build before goes on
 * writing: it may still set the counts of an entry, of which `audit_counts` keeps every version, say how long it goes on,
 * and forget the idempotency key. Triggers note what is new, so both builds take part.
 */
export class AuditChain1764578000000 implements MigrationInterface {
  readonly name = 'AuditChain1764578000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['keep', 'note', 'guard']) await runner.query(`drop trigger ${name} on admin_audit`);
    await runner.query('drop table audit_chain, audit_unchained, audit_counts');
    await runner.query(
      'drop function note_audit_counts(), note_audit_entry(), guard_audit_entry(), refuse_audit_change()',
    );
  }
}

const UP = [
  // Every value that the counts of an entry have had. The newest row is what admin_audit.counts shows.
  `create table audit_counts (
     id bigint generated always as identity primary key,
     entry_id uuid not null,
     at timestamptz not null default clock_timestamp(),
     counts jsonb not null
   )`,
  'create index audit_counts_by_entry on audit_counts (entry_id, id)',

  // Committed rows that no link covers yet. A row that commits late is simply found later.
  `create table audit_unchained (
     id bigint generated always as identity primary key,
     at timestamptz not null default clock_timestamp(),
     entry_id uuid,
     counts_id bigint,
     check (num_nonnulls(entry_id, counts_id) = 1)
   )`,

  // A link names the rows that it covers and the SHA-256 of each, and covers the link before it.
  `create table audit_chain (
     n bigint primary key check (n > 0),
     at timestamptz not null,
     entry_ids uuid[] not null,
     entry_digests bytea[] not null,
     counts_ids bigint[] not null,
     counts_digests bytea[] not null,
     digest bytea not null
   )`,

  `create function refuse_audit_change() returns trigger language plpgsql as $$
   begin
     raise exception 'the audit trail is append-only: % of % is refused', lower(tg_op), tg_table_name
       using errcode = 'insufficient_privilege';
   end $$`,
  `create function guard_audit_entry() returns trigger language plpgsql as $$
   begin
     if to_jsonb(new) - '{counts,running_until,key_digest,fingerprint}'::text[]
          is distinct from to_jsonb(old) - '{counts,running_until,key_digest,fingerprint}'::text[]
        or not (new.key_digest is null or new.key_digest is not distinct from old.key_digest)
        or not (new.fingerprint is null or new.fingerprint is not distinct from old.fingerprint) then
       raise exception 'the audit trail is append-only: entry % may only get other counts', old.id
         using errcode = 'insufficient_privilege';
     end if;
     return new;
   end $$`,
  `create function note_audit_entry() returns trigger language plpgsql as $$
   begin
     if tg_op = 'INSERT' then
       insert into audit_unchained (entry_id) values (new.id);
       if new.counts = '{}' then return null; end if;
     elsif new.counts = old.counts then
       return null;
     end if;
     insert into audit_counts (entry_id, counts) values (new.id, new.counts);
     return null;
   end $$`,
  `create function note_audit_counts() returns trigger language plpgsql as $$
   begin
     insert into audit_unchained (counts_id) values (new.id);
     return null;
   end $$`,

  'create trigger guard before update on admin_audit for each row execute function guard_audit_entry()',
  'create trigger note after insert or update of counts on admin_audit for each row execute function note_audit_entry()',
  'create trigger note after insert on audit_counts for each row execute function note_audit_counts()',
  'create trigger keep before delete or truncate on admin_audit for each statement execute function refuse_audit_change()',
  ...['audit_counts', 'audit_chain'].map(
    (table) =>
      `create trigger keep before update or delete or truncate on ${table} for each statement execute function refuse_audit_change()`,
  ),

  // What was recorded before. The triggers note it.
  'insert into audit_unchained (entry_id) select id from admin_audit order by id',
  `insert into audit_counts (entry_id, at, counts) select id, at, counts from admin_audit where counts <> '{}' order by id`,
];
