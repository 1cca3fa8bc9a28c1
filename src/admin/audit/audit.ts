import type { EntityManager } from 'typeorm';
import { uuidV7 } from '../../event/uuid-v7';
import { ADMIN_ACTOR } from '../../access/admin-access';
import { AuditEntry } from './audit-entry.entity';

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

/** Records a change in the transaction that makes it. Returns the id of the row. */
export async function recordChange(entities: EntityManager, change: AdminChange): Promise<string> {
  const id = uuidV7();
  await entities.insert(AuditEntry, { id, actor: ADMIN_ACTOR, ...change, note: change.note ?? null });
  return id;
}

/** For a change of several transactions: each brings the counts of the row up to what was done by then. */
export async function updateCounts(entities: EntityManager, id: string, counts: Record<string, number>): Promise<void> {
  await entities.update(AuditEntry, { id }, { counts });
}
