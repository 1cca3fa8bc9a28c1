import type { Db } from '../pool';
import { singleRow } from './single-row';

/**
 * SQL for the history that a statement runs in: a number that differs between two databases, and for one database before
 * and after it has gone back in time, whatever took it back.
 *
 * | the database goes back by | what changes |
 * |---|---|
 * | failover to a standby, point-in-time recovery, a restored base backup or snapshot of the disk | the start of the server |
 * | a crash of PostgreSQL with `synchronous_commit = off` | its statistics, which recovery resets |
 * | a dump that is restored in place, also while connections stay open | the table and its row; the file of the keys |
 * | a dump that is restored into another database, a renamed database | the path of the file, the row |
 * | an operator's own surgery | the token: `update database_history set token = gen_random_uuid()` |
 *
 * None of it is written by us, so it costs no write and no lock. Each statement that remembers or confirms something
 * reads it itself, because a pooler may lead the next statement to another server. A restart of PostgreSQL starts a new
 * history as well, although it loses nothing. NULL while a restore has not filled the table yet.
 */
export const HISTORY = `(
    select hashtextextended(concat_ws(' ', extract(epoch from pg_postmaster_start_time()),
             extract(epoch from pg_stat_get_bgwriter_stat_reset_time()), pg_relation_filepath('idempotency_keys'),
             h.tableoid, h.ctid, h.xmin, h.token), 0)
      from database_history h)`;

/** The database is in another history than the one in which something was known to be stored. Nothing was done. */
export class HistoryChanged extends Error {
  override readonly name = 'HistoryChanged';

  constructor() {
    super('the database has been restarted, replaced or restored meanwhile');
  }
}

/**
 * Returns the history of the database now.
 * @throws an error with SQLSTATE 57P03 while a restore has not filled the table yet
 */
export async function readHistory(db: Db): Promise<string> {
  const { rows } = await db.query<{ history: string | null }>({
    name: 'read-history',
    text: `select ${HISTORY} as history`,
  });
  return knownHistory(rows[0]?.history);
}

/** @throws an error with SQLSTATE 57P03 if a statement could not tell its history */
export function knownHistory(history: string | null | undefined): string {
  return singleRow(history === null || history === undefined ? [] : [history], 'database_history');
}
