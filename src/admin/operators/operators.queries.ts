import type { TenantIds } from '../../access/acting-operator';
import type { OperatorRole } from '../../access/identity/operator-roles';
import type { Db } from '../../db/pool';

/** An operator without the digest of the token. */
export interface NamedOperator {
  id: string;
  name: string;
  role: OperatorRole;
  /** The tenants that the operator is bound to; null: all tenants. */
  tenantIds: string[] | null;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

export type NewOperator = Pick<NamedOperator, 'id' | 'name' | 'role' | 'tenantIds' | 'createdBy' | 'expiresAt'> & {
  digest: Buffer;
};

/** Undefined leaves a field as it is. */
export type OperatorChange = Partial<Pick<NamedOperator, 'name' | 'role' | 'tenantIds' | 'expiresAt'>>;

const COLUMNS = `
  id, name, role, tenant_ids as "tenantIds", created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;
/** Whoever is bound to tenants sees the operators that are bound to some of these. `$1` has the tenants, or null. */
const VISIBLE = '($1::text[] is null or tenant_ids <@ $1)';

/** Returns undefined when an operator who is not revoked has this name. */
export async function insertOperator(db: Db, operator: NewOperator): Promise<NamedOperator | undefined> {
  const { id, name, digest, role, tenantIds, createdBy, expiresAt } = operator;
  const { rows } = await db.query<NamedOperator>(
    `insert into operators (id, name, digest, role, tenant_ids, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (name) where revoked_at is null do nothing returning ${COLUMNS}`,
    [id, name, digest, role, tenantIds, createdBy, expiresAt],
  );
  return rows[0];
}

/** Lists operators, newest first, ended ones included. `before` is the last id of the page before. */
export async function listOperators(
  db: Db,
  page: { visibleTo: TenantIds; before: string | null; limit: number },
): Promise<NamedOperator[]> {
  const { rows } = await db.query<NamedOperator>(
    `select ${COLUMNS} from operators
      where ${VISIBLE}
        and ($2::text is null or (created_at, id) < (
              select created_at, id from operators where id = $2 and ${VISIBLE}))
      order by created_at desc, id desc limit $3`,
    [page.visibleTo, page.before, page.limit],
  );
  return rows;
}

/** Counts the operators who are not revoked: all, whom every api process holds in memory, and those who are visible. */
export async function countOperators(db: Db, visibleTo: TenantIds): Promise<{ all: number; visible: number }> {
  const { rows } = await db.query<{ all: number; visible: number }>(
    `select count(*)::int as "all", (count(*) filter (where ${VISIBLE}))::int as visible
       from operators where revoked_at is null`,
    [visibleTo],
  );
  return rows[0] as { all: number; visible: number };
}

/** Returns the id of the operator with this name who is not revoked. */
export async function findOperatorId(db: Db, name: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>('select id from operators where name = $1 and revoked_at is null', [
    name,
  ]);
  return rows[0]?.id;
}

/** Returns undefined when no operator who is visible has this id, or the operator is revoked. */
export async function changeOperator(
  db: Db,
  { visibleTo, id }: { visibleTo: TenantIds; id: string },
  { name, role, tenantIds, expiresAt }: OperatorChange,
): Promise<NamedOperator | undefined> {
  const { rows } = await db.query<NamedOperator>(
    `update operators
        set name = coalesce($3, name), role = coalesce($4, role),
            tenant_ids = case when $5 then $6 else tenant_ids end,
            expires_at = case when $7 then $8 else expires_at end
      where id = $2 and revoked_at is null and ${VISIBLE} returning ${COLUMNS}`,
    [
      visibleTo,
      id,
      name ?? null,
      role ?? null,
      tenantIds !== undefined,
      tenantIds ?? null,
      expiresAt !== undefined,
      expiresAt ?? null,
    ],
  );
  return rows[0];
}

/** Returns false when no operator who is visible has this id, or the operator is revoked already. */
export async function revokeOperator(
  db: Db,
  { visibleTo, id }: { visibleTo: TenantIds; id: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update operators set revoked_at = now() where id = $2 and revoked_at is null and ${VISIBLE}`,
    [visibleTo, id],
  );
  return rowCount === 1;
}
