import type { Pool } from 'pg';

const listenersOf = new WeakMap<Pool, (() => void)[]>();

/**
 * Calls `listener` whenever statements of the pool may lead to another server or database than before: a connection was
 * closed, so that the next one may lead elsewhere; or one was opened, while others are still open. A connection that is
 * taken for a reading has called it before the reading begins.
 *
 * The pool has one listener of each kind, for any number of these, which stay for as long as the pool.
 *
 * A pooler may lead elsewhere without either. Only the history of the database tells then (history/history.queries.ts).
 */
export function onOtherServer(pool: Pool, listener: () => void): void {
  const known = listenersOf.get(pool);
  if (known) {
    known.push(listener);
    return;
  }
  const listeners = [listener];
  listenersOf.set(pool, listeners);
  const tell = (): void => {
    for (const one of listeners) one();
  };
  pool.on('remove', tell);
  pool.on('connect', tell); // 'remove' may come minutes later: it waits for the end of a connection that is silent
}
