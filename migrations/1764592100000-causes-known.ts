import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Fills in the causes of the deliveries that failed before the trigger was there. Takes some seconds for 100,000 of them,
 * in which workers settle none of these.
 */
export class CausesKnown1764592100000 implements MigrationInterface {
  readonly name = 'CausesKnown1764592100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(FILL_IN);
  }

  async down(): Promise<void> {
    // Causes1764592000000 drops the column.
  }
}

// The trigger knows the cause. All who lock several deliveries take them in this order.
const FILL_IN = `
  with locked as materialized (
    select event_id, destination_id, generation from deliveries where failed_at is not null and cause is null
     order by event_id, destination_id, generation for update
  )
  update deliveries d set cause = null from locked
   where (d.event_id, d.destination_id, d.generation) = (locked.event_id, locked.destination_id, locked.generation)`;
