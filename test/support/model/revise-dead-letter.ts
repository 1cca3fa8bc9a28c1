import type { Pool, PoolClient, QueryConfig } from 'pg';
import { Revisions } from '../../../src/admin/revisions/revisions';
import { AdminActions } from '../../../src/admin/endpoint/admin-actions';
import { AdminTransactions } from '../../../src/admin/endpoint/admin-transactions';
import { Problem } from '../../../src/event/problems';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { ACTING_ADMIN } from '../credentials';
import { testSettings } from '../app';

const REFUSALS: readonly string[] = ['event-in-process', 'event-not-failed', 'too-many-revisions', 'event-erased'];

/** Gives an event another payload, as POST /v1/admin/events/{id}/revisions does. The process may die before its commit. */
export async function reviseDeadLetter(
  pool: Pool,
  id: string,
  { retry, crashes }: { retry: boolean; crashes: boolean },
): Promise<'made' | 'refused' | 'died'> {
  const transactions = new AdminTransactions(crashes ? dyingAtCommit(pool) : pool);
  const revisions = new Revisions(testSettings(), transactions, new AdminActions(transactions), new LocalWakeUp());
  try {
    const asked = { content: { payloadJson: `{"at":${Date.now()}}` }, options: { retry, dryRun: false } };
    await revisions.revise(id, asked, { acting: ACTING_ADMIN, idempotencyKey: undefined });
    return 'made';
  } catch (error) {
    if (error instanceof Problem && REFUSALS.includes(error.code)) return 'refused';
    if (error instanceof Problem && error.code === 'storage-unavailable') return 'died';
    throw error;
  }
}

function dyingAtCommit(pool: Pool): Pool {
  const connect = async (): Promise<PoolClient> => {
    const client = await pool.connect();
    const query = (statement: string | QueryConfig, values?: unknown[]) =>
      statement === 'commit' ? Promise.reject(new Error('killed')) : client.query(statement, values);
    return Object.assign(Object.create(client) as PoolClient, { query, release: () => client.release(true) });
  };
  return Object.assign(Object.create(pool) as Pool, { connect });
}
