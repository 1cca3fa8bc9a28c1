import type { Pool } from 'pg';

/**
 * Calls `listener` whenever statements of the pool may lead to another server or database than before: a connection was
 * closed, so that the next one may lead elsewhere; or one was opened, while others are still open. A connection that is
 * taken for a reading has called it before the reading begins.
 *
 * A pooler may lead elsewhere without either. Only the history of the database tells then (history/history.queries.ts).
 */
export function onOtherServer(pool: Pool, listener: () => void): void {
  pool.on('remove', listener);
  pool.on('connect', listener); // 'remove' may come minutes later: it waits for the end of a connection that is silent
}
