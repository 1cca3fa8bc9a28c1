import type { Db } from '../db/pool';
import { uuidV7 } from '../event/uuid-v7';

/** The actor of what StreamForge does by itself. No operator has this name. */
export const SYSTEM_ACTOR = 'streamforge';

export interface SystemAction {
  action: 'destination.disable' | 'retention.drop';
  /** What the action concerned. */
  filter: object;
  counts: Record<string, number>;
  /** Why. */
  note: string;
  /** The only tenant that the action concerned, if there is one. */
  tenantId?: string;
  /** That of the event that caused it; a new one otherwise. */
  correlationId?: string;
}

/** Records an action of StreamForge itself in the audit trail, in the transaction that carries it out. */
export async function recordSystemAction(
  db: Db,
  { action, filter, counts, note, tenantId, correlationId = uuidV7() }: SystemAction,
): Promise<void> {
  await db.query(
    `insert into admin_audit (id, actor, action, filter, counts, note, correlation_id, tenant_ids)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [uuidV7(), SYSTEM_ACTOR, action, filter, counts, note, correlationId, tenantId === undefined ? null : [tenantId]],
  );
}
