import type { Scope } from '../../access/identity/caller';
import type { Db } from '../../db/pool';

/** An API key without its digest. */
export interface ApiKey {
  id: string;
  tenantId: string;
  name: string;
  scopes: Scope[];
  /** The networks that may use the key, in CIDR notation; null: all. */
  allow: string[] | null;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

export type NewKey = Pick<ApiKey, 'id' | 'tenantId' | 'name' | 'scopes' | 'allow' | 'createdBy' | 'expiresAt'> & {
  digest: Buffer;
};

const COLUMNS = `
  id, tenant_id as "tenantId", name, scopes, allow, created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;
const LIVE = 'revoked_at is null and (expires_at is null or expires_at > now())';

export async function insertKey(db: Db, key: NewKey): Promise<ApiKey> {
  const { id, tenantId, name, digest, scopes, allow, createdBy, expiresAt } = key;
  const { rows } = await db.query<ApiKey>(
    `insert into api_keys (id, tenant_id, name, digest, scopes, allow, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${COLUMNS}`,
    [id, tenantId, name, digest, scopes, allow, createdBy, expiresAt],
  );
  return rows[0] as ApiKey;
}

/** Lists the keys of one tenant or of all, newest first, ended ones included. `before` is the last id of the page before. */
export async function listKeys(
  db: Db,
  page: { tenantId: string | null; before: string | null; limit: number },
): Promise<ApiKey[]> {
  const { rows } = await db.query<ApiKey>(
    `select ${COLUMNS} from api_keys
      where ($1::text is null or tenant_id = $1)
        and ($2::text is null or (created_at, id) < (
              select created_at, id from api_keys where id = $2 and ($1::text is null or tenant_id = $1)))
      order by created_at desc, id desc limit $3`,
    [page.tenantId, page.before, page.limit],
  );
  return rows;
}

/** Counts the keys that count against the limits: the live ones of a tenant, and all that are not revoked. */
export async function countKeys(db: Db, tenantId: string): Promise<{ ofTenant: number; ofInstallation: number }> {
  const { rows } = await db.query<{ ofTenant: number; ofInstallation: number }>(
    `select count(*)::int as "ofInstallation", (count(*) filter (where tenant_id = $1 and ${LIVE}))::int as "ofTenant"
       from api_keys where revoked_at is null`,
    [tenantId],
  );
  return rows[0] as { ofTenant: number; ofInstallation: number };
}

export type KeyRights = Pick<ApiKey, 'name' | 'scopes' | 'allow' | 'expiresAt'>;

/**
 * Lets a live key end after `overlapSeconds`, or at its own end if that is sooner. Zero revokes it. Returns its rights,
 * with the end that it had before its first rotation.
 */
export async function endKey(
  db: Db,
  { tenantId, id, overlapSeconds }: { tenantId: string; id: string; overlapSeconds: number },
): Promise<KeyRights | undefined> {
  const { rows } = await db.query<KeyRights>(
    `update api_keys
        set own_expires_at = case when rotated then own_expires_at else expires_at end,
            rotated = true,
            expires_at = case when $3 > 0 then least(now() + make_interval(secs => $3), expires_at) else expires_at end,
            revoked_at = case when $3 = 0 then now() end
      where id = $1 and tenant_id = $2 and ${LIVE}
     returning name, scopes, allow, own_expires_at as "expiresAt"`,
    [id, tenantId, overlapSeconds],
  );
  return rows[0];
}

/** Returns false when the tenant has no key with this id, or the key is revoked already. */
export async function revokeKey(db: Db, { tenantId, id }: { tenantId: string; id: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    'update api_keys set revoked_at = now() where id = $1 and tenant_id = $2 and revoked_at is null',
    [id, tenantId],
  );
  return rowCount === 1;
}

export async function findTenantOfKey(db: Db, id: string): Promise<string | undefined> {
  const { rows } = await db.query<{ tenantId: string }>('select tenant_id as "tenantId" from api_keys where id = $1', [
    id,
  ]);
  return rows[0]?.tenantId;
}

/**
 * Revokes keys of a tenant that have been expired for 30 days. Processes then forget them: their callers get
 * `api-key-invalid` instead of `api-key-expired`. Locks the rows in the order of their ids.
 */
export async function revokeLongExpired(db: Db, tenantId: string): Promise<void> {
  await db.query(
    `with ended as (
       select id from api_keys
        where tenant_id = $1 and revoked_at is null and expires_at < now() - interval '720 hours'
        order by id limit 1000 for no key update)
     update api_keys set revoked_at = now() from ended where api_keys.id = ended.id`,
    [tenantId],
  );
}
