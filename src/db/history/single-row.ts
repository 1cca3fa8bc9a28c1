/** What PostgreSQL itself answers while it starts: whoever sees it waits. */
const CANNOT_CONNECT_NOW = '57P03';

/**
 * Returns the row of a table that has exactly one, from its migration on.
 * @throws an error with SQLSTATE 57P03 if there is none: a restore has made the tables and not filled all of them yet
 */
export function singleRow<Row>(rows: readonly Row[], table: string): Row {
  const [row] = rows;
  if (row !== undefined) return row;
  throw Object.assign(new Error(`the table ${table} is not complete: the database is being restored`), {
    code: CANNOT_CONNECT_NOW,
  });
}

/**
 * SQL condition that these tables have all of their rows. A restore makes the primary key of a table after it has filled
 * it. A reader that remembers a version would otherwise never look at the rows again that it had missed.
 */
export const areRestored = (...tables: string[]): string =>
  tables.map((table) => `to_regclass('${table}_pkey') is not null`).join(' and ');
