import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `summarise_attempts` keeps the BRIN indexes of the attempts up to date, so that finding those of a time does not read the
 * newest minutes. Autovacuum does it once a minute at best, and not while it is busy elsewhere. It runs with the rights of
 * the owner, and whoever may run `renew_statistics` may run it.
 *
 * The build before does not call it, and goes on as it did.
 */
export class AttemptsSummarised1764592800000 implements MigrationInterface {
  readonly name = 'AttemptsSummarised1764592800000';

  async up(runner: QueryRunner): Promise<void> {
    const [{ schema }] = (await runner.query('select quote_ident(current_schema()) as schema')) as [{ schema: string }];
    for (const statement of functionIn(schema)) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function summarise_attempts()');
  }
}

/** Ranges of one call for a partition: some eight million attempts. */
const MOST_RANGES = 4_096;

const functionIn = (schema: string): string[] => [
  // From the newest range back to the first two that are summarised. The last range that is full is left out with the one
  // that is not: rows that still come to a range that is summarised cost a write of the index. While a partition is being
  // vacuumed, which summarises it as well, it is left alone: waiting for its lock would cancel an autovacuum.
  `create function summarise_attempts() returns integer language plpgsql
   security definer set search_path = ${schema}, pg_temp as $$
   declare
     part record;
     pages constant integer := 32;
     range bigint;
     of_part integer;
     idle integer;
     made integer := 0;
   begin
     for part in
       select i.indexrelid::regclass as index, i.indrelid::regclass as name
         from pg_inherits h
         join pg_index i on i.indrelid = h.inhrelid
         join pg_class c on c.oid = i.indexrelid
         join pg_am a on a.oid = c.relam
        where h.inhparent in ('processing_attempts'::regclass, 'delivery_attempts'::regclass) and a.amname = 'brin'
        order by i.indrelid::regclass::text
     loop
       begin
         execute format('lock table only %s in share update exclusive mode nowait', part.name);
       exception when lock_not_available or undefined_table then
         continue;
       end;
       range := pg_relation_size(part.name) / current_setting('block_size')::bigint / pages - 2;
       of_part := 0;
       idle := 0;
       while range >= 0 and idle < 2 and of_part < ${MOST_RANGES} loop
         if brin_summarize_range(part.index, range * pages) > 0 then
           of_part := of_part + 1;
           idle := 0;
         else
           idle := idle + 1;
         end if;
         range := range - 1;
       end loop;
       made := made + of_part;
     end loop;
     return made;
   end $$`,
  'revoke execute on function summarise_attempts() from public',
  `do $$
   declare
     one record;
   begin
     for one in select case when grantee = 0 then 'public' else grantee::regrole::text end as grantee
                  from pg_proc p cross join lateral aclexplode(p.proacl)
                 where p.oid = 'renew_statistics(text, text[])'::regprocedure and privilege_type = 'EXECUTE'
     loop
       execute format('grant execute on function summarise_attempts() to %s', one.grantee);
     end loop;
   end $$`,
];
