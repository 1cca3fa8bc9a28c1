import type { Db } from '../../db/pool';
import type { ChangeCounts } from './audit.queries';

/**
 * Returns the counts of an action and locks its entry until the transaction ends. Waits for a transaction that is about
 * to commit other counts. Undefined if there is no such action.
 */
export async function lockCounts(db: Db, id: string): Promise<ChangeCounts | undefined> {
  const { rows } = await db.query<{ counts: ChangeCounts }>('select counts from admin_audit where id = $1 for update', [
    id,
  ]);
  return rows[0]?.counts;
}

/** Records what an action has done so far, and that it goes on for at most `leaseSeconds` more. */
export async function recordProgress(
  db: Db,
  id: string,
  { counts, leaseSeconds }: { counts: ChangeCounts; leaseSeconds: number },
): Promise<void> {
  await db.query(
    `update admin_audit set counts = $2, running_until = clock_timestamp() + make_interval(secs => $3) where id = $1`,
    [id, counts, leaseSeconds],
  );
}

/** Records that an action has ended. A request with its idempotency key is then answered with its counts. */
export async function recordEnd(db: Db, id: string): Promise<void> {
  await db.query('update admin_audit set running_until = null where id = $1', [id]);
}
