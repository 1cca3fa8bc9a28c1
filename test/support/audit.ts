import type { Pool } from 'pg';
import { inTransaction } from '../../src/db/pool';

/** Runs statements that the triggers of the audit trail would refuse or note, as a superuser can. */
export async function pastTheTriggers(pool: Pool, ...statements: string[]): Promise<void> {
  await inTransaction(pool, async (db) => {
    await db.query('set local session_replication_role = replica');
    for (const statement of statements) await db.query(statement);
  });
}

/** Empties the audit trail, which is append-only. */
export function forgetAudit(pool: Pool): Promise<void> {
  return pastTheTriggers(pool, 'truncate admin_audit, audit_counts, audit_unchained, audit_chain');
}
