import type { Db } from '../../../db/pool';
import type { ErasureStatistics } from '../erasure';
import { CONTENT_COLUMNS } from './content-columns';

/** A table or partition whose statistics hold values of columns with content. */
export interface TableWithValues {
  /** Quoted where it has to be. */
  name: string;
  /** All columns with content of the table. */
  columns: readonly string[];
}

/** Where PostgreSQL keeps values of a column: the most common ones, and the bounds of a histogram. */
const HOLDS_VALUES = '(s.most_common_vals is not null or s.histogram_bounds is not null)';

/**
 * Lists the tables and partitions whose statistics hold content. A partitioned table has statistics only where somebody
 * has run `analyze` on it; as its partitions are analyzed with it, they are then left out.
 */
export async function listTablesWithValues(db: Db): Promise<TableWithValues[]> {
  const { rows } = await db.query<{ name: string; root: string }>(
    `with holding as materialized (
       select distinct c.oid, c.relname, c.relkind, t.root
         from unnest($1::text[], $2::text[]) as t (root, name)
         join pg_class r on r.relname = t.root and r.relnamespace = current_schema()::regnamespace
        cross join lateral (select r.oid as id union select relid::oid from pg_partition_tree(r.oid)) part
         join pg_class c on c.oid = part.id
         join pg_stats s on s.schemaname = current_schema() and s.tablename = c.relname and s.attname = t.name
        where ${HOLDS_VALUES}
     )
     select h.oid::regclass::text as name, h.root
       from holding h
      where h.relkind = 'p' or not exists (select from holding p where p.root = h.root and p.relkind = 'p')
      order by h.relname`,
    contentColumns(),
  );
  return rows.map(({ name, root }) => ({ name, columns: CONTENT_COLUMNS[root] ?? [] }));
}

function contentColumns(): [tables: string[], columns: string[]] {
  const pairs = Object.entries(CONTENT_COLUMNS).flatMap(([table, columns]) =>
    columns.map((one) => [table, one] as const),
  );
  return [pairs.map(([table]) => table), pairs.map(([, column]) => column)];
}

/** Values kept of a column. PostgreSQL reads 300 rows for each, and the plan of no statement depends on these columns. */
const STATISTICS_TARGET = 10;

/** How long `analyze` waits for another one, or for a vacuum. Changes of the table, such as a new partition, wait behind it. */
const MOST_LOCK_WAIT = '5s';

/**
 * Makes PostgreSQL read a sample of the table again, and forget the values that it has kept of these columns. Nobody who
 * reads or writes the table waits for it. Runs with the rights of the owner of the tables: `analyze` passes over the
 * tables of others with a warning. Must run in a transaction, whose settings it changes.
 */
export async function analyzeColumns(db: Db, { name, columns }: TableWithValues, timeoutMs: number): Promise<void> {
  await db.query(
    `set local default_statistics_target = ${STATISTICS_TARGET}; set local lock_timeout = '${MOST_LOCK_WAIT}';
     set local statement_timeout = ${timeoutMs}`,
  );
  const renew = { text: 'select renew_statistics($1, $2)', values: [name, columns], query_timeout: timeoutMs };
  await db.query(renew);
}

/** Returns the id of the connection's process, for cancelStatement. */
export async function readBackendPid(db: Db): Promise<number> {
  const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

export async function cancelStatement(db: Db, pid: number): Promise<void> {
  await db.query('select pg_cancel_backend($1)', [pid]);
}

/** Says that all rows of an erasure are erased, so the statistics are next. */
export async function awaitStatistics(db: Db, id: string): Promise<void> {
  await db.query('update erasures set statistics_due_at = now() where id = $1', [id]);
}

/**
 * Takes the erasures whose statistics are due, for `seconds`. Another process takes them after that time. Passes over those
 * that another transaction has locked.
 */
export async function claimStatistics(db: Db, seconds: number, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `update erasures set statistics_due_at = now() + make_interval(secs => $1)
      where id = any (array(select id from erasures where finished_at is null and statistics_due_at <= now()
                             order by id limit $2 for update skip locked))
      returning id`,
    [seconds, limit],
  );
  return rows.map(({ id }) => id);
}

/** Makes the statistics of a claimed erasure due in `seconds` from now. */
export async function moveStatistics(db: Db, id: string, seconds: number): Promise<void> {
  await db.query(
    `update erasures set statistics_due_at = now() + make_interval(secs => $2)
      where id = $1 and finished_at is null`,
    [id, seconds],
  );
}

/** Records a failure. Returns how many there were, for an erasure that has not ended. */
export async function countStatisticsFailure(db: Db, id: string): Promise<number> {
  const { rows } = await db.query<{ failures: number }>(
    `update erasures set statistics_failures = statistics_failures + 1
      where id = $1 and finished_at is null returning statistics_failures as failures`,
    [id],
  );
  return rows[0]?.failures ?? 0;
}

/** Ends an erasure whose rows are all erased. */
export async function endWithStatistics(db: Db, id: string, statistics: ErasureStatistics): Promise<void> {
  await db.query(
    `update erasures set status = 'DONE', finished_at = now(), statistics = $2 where id = $1 and finished_at is null`,
    [id, statistics],
  );
}
