import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Sums of the roll-up by hour, six hours and day, so that a query of 90 days reads a row for each key and step instead of
 * hundreds (src/metric-rollup/sums.queries.ts).
 *
 * Triggers record by how much each change of `metric_rollup` changes an hour, in the same transaction and whoever makes it,
 * also the build before. The roll-up adds that to the sums once a minute, and who reads adds the rest, so the sums are those
 * of the rows at any time. What the roll-up has now is recorded as such a change as well.
 *
 * - `metric_sums` is by key. `bucket` is as in `metric_rollup`; -1 is all buckets, where there are several.
 * - `metric_totals` is of all keys together.
 */
export class MetricSums1764592810000 implements MigrationInterface {
  readonly name = 'MetricSums1764592810000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `drop trigger metric_rows_inserted on metric_rollup; drop trigger metric_rows_deleted on metric_rollup;
       drop trigger metric_rows_updated on metric_rollup; drop trigger metric_rows_truncated on metric_rollup`,
    );
    await runner.query('drop function note_inserted_metrics(), note_deleted_metrics(), note_updated_metrics()');
    await runner.query('drop function note_truncated_metrics()');
    await runner.query('drop table metric_sums, metric_totals, metric_changes');
  }
}

const HOUR = `date_bin('1 hour', at, timestamptz '2000-01-01 00:00:00Z')`;

const changes = (rows: string): string => `
  insert into metric_changes (at, measure, dimension, tenant_id, key, bucket, count)
  select ${HOUR}, measure, dimension, tenant_id, key, bucket, sum(count) from (${rows}) changed group by 1, 2, 3, 4, 5, 6`;

const noting = (name: string, work: string): string => `
  create function ${name}() returns trigger language plpgsql as $$
  begin
    ${work};
    return null;
  end $$`;

const COLUMNS = 'at, measure, dimension, tenant_id, key, bucket';
const ADDED = `select ${COLUMNS}, count from new_rows`;
const REMOVED = `select ${COLUMNS}, -count as count from old_rows`;

const UP = [
  `create table metric_changes (
     at timestamptz not null,
     measure text not null,
     dimension text not null,
     tenant_id text,
     key text,
     bucket smallint not null,
     count bigint not null
   )`,
  `create index metric_changes_by_measure on metric_changes (measure, dimension)`,
  // Rows of the present are updated every minute. No index has the count, so that this stays in their page.
  `create table metric_sums (
     step_seconds integer not null,
     at timestamptz not null,
     measure text not null,
     dimension text not null,
     tenant_id text,
     key text,
     bucket smallint not null,
     count bigint not null
   ) with (fillfactor = 70)`,
  `create unique index metric_sums_by_time on metric_sums (measure, dimension, step_seconds, at, tenant_id, key, bucket)
     nulls not distinct`,
  `create index metric_sums_by_key on metric_sums (measure, dimension, step_seconds, key, at)`,
  `create index metric_sums_by_tenant on metric_sums (measure, dimension, step_seconds, tenant_id, at)`,
  `create table metric_totals (
     step_seconds integer not null,
     at timestamptz not null,
     measure text not null,
     dimension text not null,
     bucket smallint not null,
     count bigint not null,
     primary key (measure, dimension, step_seconds, at, bucket)
   ) with (fillfactor = 70)`,

  noting('note_inserted_metrics', changes(ADDED)),
  noting('note_deleted_metrics', changes(REMOVED)),
  noting('note_updated_metrics', changes(`${ADDED} union all ${REMOVED}`)),
  noting('note_truncated_metrics', 'delete from metric_changes; delete from metric_sums; delete from metric_totals'),
  `create trigger metric_rows_inserted after insert on metric_rollup referencing new table as new_rows
     for each statement execute function note_inserted_metrics()`,
  `create trigger metric_rows_deleted after delete on metric_rollup referencing old table as old_rows
     for each statement execute function note_deleted_metrics()`,
  `create trigger metric_rows_updated after update on metric_rollup
     referencing old table as old_rows new table as new_rows
     for each statement execute function note_updated_metrics()`,
  `create trigger metric_rows_truncated after truncate on metric_rollup
     for each statement execute function note_truncated_metrics()`,

  changes(`select ${COLUMNS}, count from metric_rollup`),
];
