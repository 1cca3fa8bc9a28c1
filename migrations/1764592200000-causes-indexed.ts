import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the failed deliveries of a cause. Workers settle no delivery while it reads all of them. */
export class CausesIndexed1764592200000 implements MigrationInterface {
  readonly name = 'CausesIndexed1764592200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index deliveries_by_cause on deliveries (cause, event_id) where cause is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index deliveries_by_cause');
  }
}
