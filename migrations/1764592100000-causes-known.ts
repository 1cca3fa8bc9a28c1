import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The causes of the deliveries that failed before the trigger was there, and indexes to find them by. Takes some seconds
 * for 100,000 failed deliveries, and as long again to read all others. Until the indexes are made, workers go on.
 */
export class CausesKnown1764592100000 implements MigrationInterface {
  readonly name = 'CausesKnown1764592100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index deliveries_again');
    await runner.query('drop index deliveries_by_cause');
  }
}

const UP = [
  // The trigger knows the cause. All who lock several deliveries take them in this order.
  `with locked as materialized (
     select event_id, destination_id, generation from deliveries where failed_at is not null and cause is null
      order by event_id, destination_id, generation for update
   )
   update deliveries d set cause = null from locked
    where (d.event_id, d.destination_id, d.generation) = (locked.event_id, locked.destination_id, locked.generation)`,
  `create index deliveries_by_cause on deliveries (cause, event_id) where cause is not null`,
  // Few deliveries are replaced by newer ones. This finds out which.
  `create index deliveries_again on deliveries (event_id, destination_id, generation) where generation > 1`,
];
