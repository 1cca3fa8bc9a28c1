import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What operator events (src/operator-events) are raised for. A row of `operator_conditions` is there while its condition is
 * raised; it is written in the transaction that stores the event. `quota_refusals` says when a tenant was last refused
 * because its limit was used up.
 */
export class OperatorConditions1764592500000 implements MigrationInterface {
  readonly name = 'OperatorConditions1764592500000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table operator_conditions, quota_refusals');
    await runner.query(`delete from chores where name = 'operator-events'`);
  }
}

const UP = [
  // `subject` is what the condition is about: the id of a destination, source or key, a tenant and a group, '' for the
  // installation, or '*' for many at once. `joined`: the event of '*' stands for it. clearing_since is set while it no longer
  // holds, but not long enough to be cleared.
  `create table operator_conditions (
     kind text not null,
     subject text not null,
     state text not null check (state in ('raised', 'joined')),
     incident uuid not null,
     tenant_id text,
     name text,
     since timestamptz not null,
     raised_at timestamptz not null default now(),
     clearing_since timestamptz,
     primary key (kind, subject)
   )`,
  // Refusals begin again at `since` after a pause.
  `create table quota_refusals (
     tenant_id text not null,
     measure text not null check (measure in ('events', 'bytes')),
     since timestamptz not null default now(),
     refused_at timestamptz not null default now(),
     primary key (tenant_id, measure)
   )`,
];
