import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which events the worker runs on suspicion. A row is there only between a redelivery and the settlement of the event:
 * `starts` counts how often it was begun alone without coming to an end.
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
