import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the rejections that an event was made from. */
export class Resubmitted1764571500000 implements MigrationInterface {
  readonly name = 'Resubmitted1764571500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index rejections_by_event on rejections (event_id) where event_id is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index rejections_by_event');
  }
}
