import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Conditions that come and go. `condition_raises` has each raise of the last hour. A condition that was raised too often
 * within it is `flapping`: it is cleared only when it has been over for long. The build before knows neither, and clears
 * it as any other.
 */
export class Flapping1764592910000 implements MigrationInterface {
  readonly name = 'Flapping1764592910000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table operator_conditions add column flapping boolean not null default false');
    await runner.query(
      `create table condition_raises (
         kind text not null,
         subject text not null,
         raised_at timestamptz not null default now(),
         primary key (kind, subject, raised_at)
       )`,
    );
    await runner.query('create index condition_raises_at on condition_raises (raised_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table condition_raises');
    await runner.query('alter table operator_conditions drop column flapping');
  }
}
