import { ADMIN_ACTOR } from '../../access/admin-access';
import type { Db } from '../../db/pool';
import { uuidV7 } from '../../event/uuid-v7';

export type AdminAction =
  | 'replay'
  | 'replay.cancel'
  | 'dlq.retry'
  | 'dlq.discard'
  | 'outbox.retry'
  | 'destination.create'
  | 'destination.change'
  | 'destination.delete'
  | 'destination.rotate-secret';

export interface AdminChange {
  action: AdminAction;
  filter: object;
  counts: Record<string, number>;
  note?: string | undefined;
  correlationId: string;
}

/** One change by an operator. */
export interface AuditEntry {
  id: string;
  at: string;
  /** Name of the admin token. */
  actor: string;
  action: string;
  filter: object;
  counts: Record<string, number>;
  note: string | null;
  correlationId: string;
}

/** Records a change in the transaction that makes it. Returns the id of the audit entry. */
export async function recordChange(db: Db, change: AdminChange): Promise<string> {
  const id = uuidV7();
  const { action, filter, counts, note = null, correlationId } = change;
  await db.query(
    `insert into admin_audit (id, actor, action, filter, counts, note, correlation_id)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, ADMIN_ACTOR, action, filter, counts, note, correlationId],
  );
  return id;
}

/** Updates the counts of an entry. A change of several transactions calls this in each, with the total so far. */
export async function updateCounts(db: Db, id: string, counts: Record<string, number>): Promise<void> {
  await db.query('update admin_audit set counts = $2 where id = $1', [id, counts]);
}

/** Lists entries below this id, newest first. Ids are UUIDv7, so id order is time order. */
export async function listAuditEntries(db: Db, page: { below: string | null; limit: number }): Promise<AuditEntry[]> {
  const { rows } = await db.query<AuditEntry>(
    `select id, at, actor, action, filter, counts, note, correlation_id as "correlationId"
       from admin_audit where $1::uuid is null or id < $1 order by id desc limit $2`,
    [page.below, page.limit],
  );
  return rows;
}
