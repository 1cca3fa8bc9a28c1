import type { PoolClient } from 'pg';
import { classifyPgError } from '../../db/pg-errors';

/** Whether PostgreSQL is there: an error that carries its codes may come from a server of the handler's own. */
export async function isConnectionUsable(db: PoolClient): Promise<boolean> {
  try {
    await db.query('select');
    return true;
  } catch (error) {
    return classifyPgError(error) !== 'unavailable'; // "transaction is aborted" is an answer
  }
}
