import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The end of an erasure: PostgreSQL's statistics of the columns that it erases are renewed, since they hold values.
 * - `statistics_due_at` is set once all rows are erased, and says when the statistics may be renewed, or tried again.
 * - `statistics` is null until then. It stays null for erasures of the build before, which ends an erasure without this.
 * - `destination_failures.last_error` gets no statistics. Successes delete all rows of this table, and `analyze` leaves
 *   the statistics of an empty table as they are. To set the type of a column, even the same one, drops what there is.
 */
export class ErasureStatistics1764576000000 implements MigrationInterface {
  readonly name = 'ErasureStatistics1764576000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table destination_failures alter column last_error set statistics -1');
    await runner.query(
      'alter table erasures drop column statistics, drop column statistics_failures, drop column statistics_due_at',
    );
  }
}

const UP = [
  `alter table erasures
     add column statistics_due_at timestamptz,
     add column statistics_failures integer not null default 0,
     add column statistics text check (statistics in ('RENEWED', 'FAILED'))`,
  `alter table destination_failures alter column last_error set statistics 0, alter column last_error type text`,
];
