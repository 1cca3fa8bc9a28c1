import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ensurePartitions, WEEKLY } from './1764550000000-sources';

/**
 * Upkeep by a role that owns nothing, and without standing in the way of others.
 * - What only an owner may do (making and dropping partitions, `analyze`) is done by functions with the rights of their
 *   owner. Each does exactly that to tables of ours, whoever calls it. docs/postgresql.md grants them to the role of the
 *   processes.
 * - One partition is made at a time, so that few locks are held together.
 * - `chores` says when each chore has last succeeded, and since when it waits for locks of others.
 *
 * The build before calls ensure_partitions, which makes the same partitions as before.
 */
export class Upkeep1764580000000 implements MigrationInterface {
  readonly name = 'Upkeep1764580000000';

  async up(runner: QueryRunner): Promise<void> {
    const [{ schema }] = (await runner.query('select quote_ident(current_schema()) as schema')) as [{ schema: string }];
    for (const statement of [CHORES, ...functionsIn(schema)]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(ensurePartitions(WEEKLY_NOW)); // as before, with the rights of the caller
    await runner.query('grant execute on function ensure_partitions() to public');
    await runner.query(
      `drop function renew_statistics(text, text[]), drop_partitions(text[]), make_partition(text, text),
                     missing_partitions()`,
    );
    await runner.query('drop table chores');
  }
}

const WEEKLY_NOW = [...WEEKLY, 'deliveries', 'delivery_attempts', 'event_revisions'];

const CHORES = `create table chores (
  name text primary key,
  known_since timestamptz not null default now(),
  succeeded_at timestamptz,
  put_off_since timestamptz,
  error_code text
) with (fillfactor = 50)`;

/** A partition that may be dropped by its name: outbox_d20260105, events_y2026w02. */
const PARTITION = `^(outbox_d[0-9]{8}|(${WEEKLY_NOW.join('|')})_y[0-9]{4}w[0-9]{2})$`;

function functionsIn(schema: string): string[] {
  const asOwner = `security definer set search_path = ${schema}, pg_temp set timezone = 'UTC'`;
  return [
    // From one period back (clocks differ a little) to five weeks or eight days ahead, those that are needed first come first.
    `create function missing_partitions() returns table (parent text, name text, lower text, upper text)
     stable language sql set timezone = 'UTC' as $$
       with wanted as (
         select p.parent, to_char(w.starts, '"_y"IYYY"w"IW') as suffix, w.starts,
                uuid_v7_floor(w.starts)::text as lower, uuid_v7_floor(w.starts + interval '7 days')::text as upper
           from (select date_trunc('week', now(), 'UTC') + i * interval '7 days' from generate_series(-1, 5) i) w (starts),
                unnest(array[${WEEKLY_NOW.map((name) => `'${name}'`).join(', ')}]) p (parent)
         union all
         select 'outbox', to_char(d.starts, '"_d"YYYYMMDD'), d.starts, d.starts::text, (d.starts + interval '1 day')::text
           from (select date_trunc('day', now(), 'UTC') + i * interval '1 day' from generate_series(-1, 8) i) d (starts))
       select parent, parent || suffix, lower, upper from wanted
        where to_regclass(parent || suffix) is null
        order by starts < now() desc, starts, parent
     $$`,
    // Rows that came before their partition was made lie in the default one, which would refuse the new bounds. Most are
    // moved before the default partition is locked, the rest, which came meanwhile, after.
    `create function make_partition(of_parent text, of_name text) returns boolean language plpgsql ${asOwner} as $$
     declare
       wanted record;
       key name;
       moving text;
     begin
       select * into wanted from missing_partitions() m where m.parent = of_parent and m.name = of_name;
       if not found then return false; end if;
       key := (select a.attname from pg_partitioned_table p
                 join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
                where p.partrelid = of_parent::regclass);
       moving := format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
         of_parent || '_default', key, wanted.lower, key, wanted.upper, of_name);
       execute format('create table %I (like %I including all) %s', of_name, of_parent,
         case when of_parent = 'outbox' then 'with (fillfactor = 50)' else '' end);
       execute moving;
       execute format('lock table only %I in access exclusive mode', of_parent || '_default');
       execute moving;
       execute format('alter table %I attach partition %I for values from (%L) to (%L)',
         of_parent, of_name, wanted.lower, wanted.upper);
       return true;
     end $$`,
    `create or replace function ensure_partitions() returns integer language plpgsql ${asOwner} as $$
     declare
       made integer := 0;
       missing record;
     begin
       for missing in select * from missing_partitions() loop
         if make_partition(missing.parent, missing.name) then made := made + 1; end if;
       end loop;
       return made;
     end $$`,
    // Only partitions whose time has passed. Whether their rows may go is decided by the caller, who could also delete them.
    `create function drop_partitions(names text[]) returns void language plpgsql ${asOwner} as $$
     declare
       one text;
     begin
       foreach one in array names loop
         if one !~ '${PARTITION}'
            or not exists (select from pg_inherits i
                            where i.inhrelid = to_regclass(one)
                              and i.inhparent = to_regclass(regexp_replace(one, '_[dy][0-9w]+$', '')))
            or (case when one like 'outbox%' then to_date(right(one, 8), 'YYYYMMDD') + 1
                     else to_date(right(one, 7), 'IYYY"w"IW') + 7 end) > current_date then
           raise exception '% is not a partition whose time has passed', one using errcode = 'invalid_parameter_value';
         end if;
       end loop;
       execute 'drop table ' || (select string_agg(quote_ident(n), ', ') from unnest(names) n);
     end $$`,
    `create function renew_statistics(relation text, columns text[]) returns void language plpgsql ${asOwner} as $$
     begin
       if not exists (select from pg_class where oid = to_regclass(relation) and relnamespace = current_schema()::regnamespace
                                             and relkind in ('r', 'p')) then
         raise exception '% is not a table of this schema', relation using errcode = 'invalid_parameter_value';
       end if;
       execute format('analyze %s (%s)', to_regclass(relation),
         (select string_agg(quote_ident(c), ', ') from unnest(columns) c));
     end $$`,
    `revoke execute on function ensure_partitions(), make_partition(text, text), drop_partitions(text[]),
       renew_statistics(text, text[]) from public`,
  ];
}
