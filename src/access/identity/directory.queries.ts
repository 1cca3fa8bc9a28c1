import type { Db } from '../../db/pool';
import { areRestored, singleRow } from '../../db/history/single-row';
import type { Scope } from './caller';
import type { OperatorRole } from './operator-roles';

/** A registered tenant. */
export interface TenantRow {
  id: string;
  name: string;
  status: 'active' | 'suspended';
  /** Null: the default of the installation. */
  eventsPerMinute: number | null;
  /** Null: the default of the installation. */
  bytesPerMinute: number | null;
  /** JSON Pointers to what operators below the role `operator` do not see of a payload. */
  redact: string[];
}

/** An API key, as needed to check it. */
export interface KeyRow {
  id: string;
  tenantId: string;
  name: string;
  digest: Buffer;
  scopes: Scope[];
  /** The networks that may use the key, in CIDR notation; null: all. */
  allow: string[] | null;
  expiresAt: string | null;
  revoked: boolean;
}

/** An operator, as needed to check the token. */
export interface OperatorRow {
  id: string;
  name: string;
  digest: Buffer;
  role: OperatorRole;
  tenantIds: string[] | null;
  expiresAt: string | null;
  revoked: boolean;
}

/** Returns the number that every change of a tenant, a key or an operator raises; a bigint, as text. */
export async function readAccessVersion(db: Db): Promise<string> {
  const { rows } = await db.query<{ version: string }>({
    name: 'read-access-version',
    text: `select version from access_version where ${areRestored('tenants', 'api_keys', 'operators')}`,
  });
  return singleRow(rows, 'access_version').version;
}

/** Takes the lock that every change of a tenant, a key or an operator takes. It is held until the transaction ends. */
export async function lockAccess(db: Db): Promise<void> {
  await db.query('select from access_version for update');
}

export async function readTenantsSince(db: Db, version: string): Promise<TenantRow[]> {
  const { rows } = await db.query<TenantRow>(
    `select id, name, status, events_per_minute as "eventsPerMinute",
            bytes_per_minute::double precision as "bytesPerMinute", redact
       from tenants where version > $1`,
    [version],
  );
  return rows;
}

export async function readKeysSince(db: Db, version: string): Promise<KeyRow[]> {
  const { rows } = await db.query<KeyRow>(
    `select id, tenant_id as "tenantId", name, digest, scopes, allow, expires_at as "expiresAt",
            revoked_at is not null as revoked
       from api_keys where version > $1`,
    [version],
  );
  return rows;
}

export async function readOperatorsSince(db: Db, version: string): Promise<OperatorRow[]> {
  const { rows } = await db.query<OperatorRow>(
    `select id, name, digest, role, tenant_ids as "tenantIds", expires_at as "expiresAt",
            revoked_at is not null as revoked
       from operators where version > $1`,
    [version],
  );
  return rows;
}
