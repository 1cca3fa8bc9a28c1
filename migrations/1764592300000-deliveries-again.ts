import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds the deliveries that replace earlier ones; few do. Workers settle no delivery while it reads all of them. An index
 * of its own transaction, so that a lock that is not granted costs one of them and not both.
 */
export class DeliveriesAgain1764592300000 implements MigrationInterface {
  readonly name = 'DeliveriesAgain1764592300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create index deliveries_again on deliveries (event_id, destination_id, generation) where generation > 1',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index deliveries_again');
  }
}
