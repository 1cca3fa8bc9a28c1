import type { Pool, PoolClient } from 'pg';
import { withinDeadline } from '../runtime/deadline';

/** Connections say goodbye within milliseconds. By now, nobody waits for the statements that may still run. */
const CLOSE_WITHIN_MS = 2_000;

/** What pg knows of a pool and does not declare: all connections, also those that are being made or are in use. */
interface PoolParts {
  _clients: readonly (PoolClient & { connection: { stream: { destroy(): void } } })[];
}

/**
 * Closes the connections of a pool. Those that have not closed within two seconds are cut, because a server that does not
 * answer would keep the process from ending. Never rejects.
 */
export async function closePool(pool: Pool): Promise<void> {
  const { _clients: clients } = pool as unknown as PoolParts;
  try {
    await withinDeadline(CLOSE_WITHIN_MS, pool.end());
  } catch {
    // Also if somebody else has ended the pool: then nobody knows when its connections will have closed.
    for (const { connection } of clients) connection.stream.destroy();
  }
}
