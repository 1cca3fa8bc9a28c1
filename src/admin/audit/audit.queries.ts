import type { ActingOperator, TenantIds } from '../../access/acting-operator';
import type { OperatorRole } from '../../access/identity/operator-roles';
import type { Db } from '../../db/pool';
import type { AdminAction } from './admin-action';

/** A change that an operator makes. */
export interface AdminChange {
  action: AdminAction;
  filter: object;
  note?: string | undefined;
  acting: ActingOperator;
  /** The tenants that the change is limited to; null: all tenants. Default: the tenants of the operator. */
  tenantIds?: TenantIds;
}

export type ChangeCounts = Record<string, number>;

/** The idempotency key of a change, and what it was used for. */
export interface ActionKey {
  digest: Buffer;
  fingerprint: Buffer;
}

/** One change by an operator. */
export interface AuditEntry {
  id: string;
  at: string;
  /** Name of the operator. */
  actor: string;
  /** Null for what StreamForge did by itself, and in entries of the build before; the address likewise. */
  role: OperatorRole | null;
  address: string | null;
  action: string;
  filter: object;
  counts: ChangeCounts;
  note: string | null;
  correlationId: string;
}

/**
 * Records a change, before it is made and in the same transaction. Returns false, and records nothing, if there is an
 * entry with this id or this key. Waits for a transaction that is about to commit such an entry, up to `waitMs`. With
 * `leaseSeconds`, the change goes on after the transaction, and counts as running for that long (recordProgress).
 */
export async function claimEntry(
  db: Db,
  entry: AdminChange & { id: string; key: ActionKey | undefined; leaseSeconds?: number | undefined },
  waitMs: number,
): Promise<boolean> {
  const { id, action, filter, note = null, acting, key, leaseSeconds = null } = entry;
  await db.query(`select set_config('lock_timeout', $1, true)`, [`${waitMs}ms`]);
  const { rowCount } = await db.query(
    `insert into admin_audit (id, actor, role, address, tenant_ids, action, filter, counts, note, correlation_id,
                              key_digest, fingerprint, running_until)
     values ($1, $2, $3, $4, $5, $6, $7, '{}', $8, $9, $10, $11, clock_timestamp() + make_interval(secs => $12))
     on conflict do nothing`,
    [
      id,
      acting.name,
      acting.role,
      acting.address,
      tenantsOf(entry),
      action,
      filter,
      note,
      acting.correlationId,
      key?.digest ?? null,
      key?.fingerprint ?? null,
      leaseSeconds,
    ],
  );
  await db.query(`select set_config('lock_timeout', '0', true)`);
  return rowCount === 1;
}

/** A change that is limited to a tenant outside those of its operator is theirs to see, and nobody else's. */
function tenantsOf({ acting, tenantIds = acting.tenantIds }: AdminChange): TenantIds {
  return tenantIds?.length === 0 ? acting.tenantIds : tenantIds;
}

/** Records what a change has done so far. */
export async function recordCounts(db: Db, id: string, counts: ChangeCounts): Promise<void> {
  await db.query('update admin_audit set counts = $2 where id = $1', [id, counts]);
}

/** The columns of an AuditEntry. */
export const AUDIT_ENTRY =
  'id, at, actor, role, address, action, filter, counts, note, correlation_id as "correlationId"';

/**
 * Whether `column` of an audit entry holds only tenants of `values`, which is null for all tenants. The first tenant
 * excludes nearly all other entries: by an index, or by a hash table of up to 1000 values. CASE keeps `<@`, which
 * compares each with each, behind it; the planner would put it first.
 */
export const isLimitedTo = (values: string, column = 'tenant_ids'): string => `(${values}::text[] is null
  or ${column}[1] = any (${values}) and case when ${column}[1] = any (${values}) then ${column} <@ ${values} end)`;

/** Whether the change goes on after it was recorded, so that its counts are not final. */
interface Progress {
  running: boolean;
}

const RUNNING = 'coalesce(running_until > clock_timestamp(), false) as running';

/** Finds the entry with this id, if it is limited to these tenants. Null: any entry. */
export async function findAuditEntry(
  db: Db,
  id: string,
  tenantIds: TenantIds,
): Promise<(AuditEntry & Progress) | undefined> {
  const { rows } = await db.query<AuditEntry & Progress>(
    `select ${AUDIT_ENTRY}, ${RUNNING} from admin_audit where id = $1 and ${isLimitedTo('$2')}`,
    [id, tenantIds],
  );
  return rows[0];
}

/** The change that a key was used for. */
export interface KeyUse extends AuditEntry, Progress {
  /** False if it is another change. */
  same: boolean;
}

export async function findEntryByKey(db: Db, key: ActionKey): Promise<KeyUse | undefined> {
  const { rows } = await db.query<KeyUse>(
    `select ${AUDIT_ENTRY}, fingerprint = $2 as same, ${RUNNING}
       from admin_audit where key_digest = $1`,
    [key.digest, key.fingerprint],
  );
  return rows[0];
}
