import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * - `delivery_attempts.failed` says whether the attempt was the last one. What the build before writes has null here, and
 *   the delivery itself tells. All who read the table wait for this, so it is no part of the migration that indexes it.
 * - `metric_slices.complete_again` says that the completed events of a slice are to be counted again, after an earlier slice
 *   was made again.
 */
export class LateSlices1764592400000 implements MigrationInterface {
  readonly name = 'LateSlices1764592400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index metric_rollup_by_tenant');
    await runner.query('alter table metric_slices drop column complete_again');
    await runner.query('alter table delivery_attempts drop column failed');
  }
}

const UP = [
  'alter table delivery_attempts add column if not exists failed boolean',
  'alter table metric_slices add column complete_again boolean not null default false',
  'create index metric_rollup_by_tenant on metric_rollup (measure, dimension, tenant_id, at)',
];
