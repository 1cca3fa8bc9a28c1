import type { Logger } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from './pool';

/**
 * Tells whose fault it is that a table is missing, a right, or the permission to write: runs statements for what nobody
 * sent, in a transaction that is rolled back. If they succeed, the rows at hand are at fault. Triggers see the made-up
 * rows. Returns false if PostgreSQL refuses them too, or cannot be reached. Never rejects.
 */
export async function succeedsRolledBack(
  pool: Pool,
  work: (db: PoolClient) => Promise<unknown>,
  onFailure: { logger: Logger; says: string },
): Promise<boolean> {
  try {
    await inTransaction(pool, work, () => false);
    return true;
  } catch (error) {
    onFailure.logger.debug(`${onFailure.says}: ${String(error)}`);
    return false;
  }
}
