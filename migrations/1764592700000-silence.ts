import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Silence of producers in active hours, and learned silence (src/silence).
 * - `silence_expectations` has what is expected of the events of a type.
 * - `silence_heard` says when something last came of a source or type, and from when on its silence is unusual.
 * - `silence_minutes` has the minutes in which something came, of what is learned. It is made by a chore, from samples of
 *   sources and slices of usage, so storing an event writes nothing for it.
 *
 * The build before goes on telling silent sources by expect_every_seconds alone.
 */
export class Silence1764592700000 implements MigrationInterface {
  readonly name = 'Silence1764592700000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from operator_conditions where kind = 'type.silent'`);
    await runner.query('drop table silence_minutes, silence_heard, silence_expectations');
    await runner.query('alter table sources drop column active_hours, drop column learn_silence');
  }
}

const UP = [
  `alter table sources add column active_hours jsonb, add column learn_silence boolean not null default false`,
  `create table silence_expectations (
     tenant_id text not null,
     event_type text not null,
     expect_every_seconds integer,
     active_hours jsonb,
     learn_silence boolean not null default false,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now(),
     primary key (tenant_id, event_type)
   )`,
  // `subject` is the id of a source, or a tenant, '/' and a type, or '' for the installation: since when somebody has
  // looked without a pause. `silent_from` is of the silence that began at `judged_for`; null: it is not known to be unusual.
  `create table silence_heard (
     subject text primary key,
     since timestamptz not null default now(),
     heard_at timestamptz,
     judged_for timestamptz,
     silent_from timestamptz,
     usual_seconds integer
   ) with (fillfactor = 70)`,
  // One bit for each minute of a day in UTC.
  `create table silence_minutes (
     subject text not null,
     day date not null,
     minutes bit(1440) not null,
     primary key (subject, day)
   ) with (fillfactor = 50)`,
];
