import type { PoolClient } from 'pg';
import type { Db } from '../../db/pool';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { TransactionalHandler, UnfinishedResult } from '../handler';

const STATEMENT_MARGIN_MS = 200;

export class HandlerTimeout extends Error {
  override readonly name = 'TimeoutError';
}

/** Calls a transactional handler with its timeout, and with a `db` that ends with the call. */
export async function callTransactional(
  handler: TransactionalHandler,
  events: readonly DispatchedEvent[],
  client: PoolClient,
): Promise<void | ReadonlyMap<string, UnfinishedResult>> {
  const { timeoutMs } = handler;
  const bound = bind(client);
  const aborter = new AbortController();
  if (timeoutMs === undefined) {
    return handler.handle(events, { db: bound.db, signal: aborter.signal }).finally(bound.end);
  }
  // The statement in hand has to end too, or the rollback would wait for it; a little later, so that ours is the reason.
  await client.query(`set local statement_timeout = ${Math.ceil(timeoutMs) + STATEMENT_MARGIN_MS}`);
  try {
    const results = await within(timeoutMs, aborter, handler.handle(events, { db: bound.db, signal: aborter.signal }));
    bound.end();
    await client.query('set local statement_timeout to default');
    return results;
  } finally {
    bound.end();
  }
}

/**
 * The result of `work`, or HandlerTimeout after `timeoutMs`, with the signal aborted. Work that ignores the signal goes
 * on unobserved; nothing it brings is used.
 */
export async function within<T>(timeoutMs: number, aborter: AbortController, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const timeout = new HandlerTimeout(`no result within ${timeoutMs} ms`);
      aborter.abort(timeout);
      reject(timeout);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A statement that a handler sends late would become part of somebody else's transaction. */
function bind(client: PoolClient): { db: Db; end: () => void } {
  let ended = false;
  const query = ((...args: Parameters<PoolClient['query']>) =>
    ended
      ? Promise.reject(new Error('The call has ended; its db takes no more statements.'))
      : client.query(...args)) as Db['query'];
  return { db: { query }, end: () => (ended = true) };
}
