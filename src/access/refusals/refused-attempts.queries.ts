import type { Db } from '../../db/pool';
import { uuidV7 } from '../../event/uuid-v7';

/** Refused requests to admin endpoints that have their reason, address and operator in common. */
export interface RefusedGroup {
  /** Name and role of the operator; undefined if the credentials are nobody's. */
  operator: { name: string; role: string; tenantIds: readonly string[] | null } | undefined;
  /** Undefined for the sum of many addresses. */
  address: string | undefined;
  reason: string;
  count: number;
  /** Of the first of them. */
  first: { endpoint: string; credentialId: string | undefined; correlationId: string };
}

/** Nobody acted, so the actor is StreamForge, which refused. */
const NOBODY = { name: 'streamforge', role: null, tenantIds: null };

/** Records refused requests as one entry of the audit trail. */
export async function recordRefused(db: Db, group: RefusedGroup): Promise<void> {
  const { operator = NOBODY, address, reason, count, first } = group;
  const { endpoint, credentialId, correlationId } = first;
  await db.query(
    `insert into admin_audit (id, actor, role, address, tenant_ids, action, filter, counts, correlation_id)
     values ($1, $2, $3, $4, $5, 'access.refused', $6, $7, $8)`,
    [
      uuidV7(),
      operator.name,
      operator.role,
      address ?? null,
      operator.tenantIds,
      { reason, endpoint, ...(credentialId === undefined ? {} : { credentialId }) },
      { refused: count },
      correlationId,
    ],
  );
}
