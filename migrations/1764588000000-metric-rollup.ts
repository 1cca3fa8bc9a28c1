import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The roll-up behind GET /v1/admin/metrics (src/metric-rollup). A chore derives it from committed rows, so what stores and
 * settles events does nothing for it:
 * - Events and rejections are found by their ids, which begin with the time. Attempts are only ever added, so a BRIN
 *   index finds those of a time. It costs an insert next to nothing: a few bytes for every 32 pages.
 * - `delivery_closings` has the deliveries that ended without an attempt, for a quarter of an hour.
 */
export class MetricRollup1764588000000 implements MigrationInterface {
  readonly name = 'MetricRollup1764588000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index processing_attempts_by_time, delivery_attempts_by_time');
    await runner.query('drop table metric_rollup, metric_slices, delivery_closings');
    await runner.query(`delete from chore_progress where name = 'metric-rollup'`);
  }
}

const BRIN = 'with (pages_per_range = 32, autosummarize = on)';

const STATEMENTS = [
  // One row says how many in the `step_seconds` from `at` on. `key` is null for the smaller keys together, `tenant_id` for
  // those of more than 10,000 tenants. `bucket` is that of the latency (latency-buckets.ts), or 0.
  `create table metric_rollup (
     at timestamptz not null,
     step_seconds integer not null,
     measure text not null,
     dimension text not null,
     tenant_id text,
     key text,
     bucket smallint not null,
     count bigint not null
   )`,
  `create index metric_rollup_by_measure on metric_rollup (measure, dimension, at)`,
  `create index metric_rollup_by_step on metric_rollup (step_seconds, at)`,
  // How many rows a slice was made from. If there are more later, some were committed late, and it is made again.
  `create table metric_slices (at timestamptz primary key, seen bigint not null)`,
  `create table delivery_closings (
     at timestamptz not null default now(),
     event_id uuid not null,
     destination_id uuid not null,
     generation integer not null,
     status text not null,
     reason_code text not null
   )`,
  `create index delivery_closings_by_time on delivery_closings (at)`,
  `create index processing_attempts_by_time on processing_attempts using brin (created_at) ${BRIN}`,
  `create index delivery_attempts_by_time on delivery_attempts using brin (at) ${BRIN}`,
];
