import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Events that the worker runs alone because they may have crashed it. A row exists only between a redelivery and the
 * settling of the event. `starts` counts the runs that started without an end.
 */
export class CrashTrials1764000000500 implements MigrationInterface {
  readonly name = 'CrashTrials1764000000500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create table crash_trials (
         event_id uuid primary key,
         starts integer not null,
         updated_at timestamptz not null default now()
       )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table crash_trials');
  }
}
