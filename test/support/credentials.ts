import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Pool } from 'pg';
import type { ActingOperator } from '../../src/access/acting-operator';
import type { Scope } from '../../src/access/identity/caller';
import { AccessDirectory } from '../../src/access/identity/access-directory';
import { mintCredential } from '../../src/access/identity/credential';
import type { OperatorRole } from '../../src/access/identity/operator-roles';
import { ADMIN } from '../../src/access/operator-access';

/** The holder of ADMIN_TOKEN, where a test calls what an endpoint calls. */
export const ACTING_ADMIN: ActingOperator = { ...ADMIN, address: '127.0.0.1', correlationId: 'c-1' };

/** A credential in the database. A process that holds an older copy heeds it within half a second; see heedAccess. */
export interface GivenCredential {
  id: string;
  name: string;
  /** What the caller sends. */
  text: string;
}

export interface OperatorFields {
  name?: string;
  role: OperatorRole;
  /** The tenants that the operator is bound to; null, the default: all tenants. */
  tenantIds?: readonly string[] | null;
  expiresAt?: Date;
  revokedAt?: Date;
}

/** Stores an operator and returns the token. */
export async function givenOperator(pool: Pool, fields: OperatorFields): Promise<GivenCredential> {
  const { id, text, digest } = mintCredential('sfa');
  const { name = `${fields.role} ${id}`, role, tenantIds = null, expiresAt, revokedAt } = fields;
  await pool.query(
    `insert into operators (id, name, digest, role, tenant_ids, created_by, expires_at, revoked_at)
     values ($1, $2, $3, $4, $5, 'test', $6, $7)`,
    [id, name, digest, role, tenantIds, expiresAt ?? null, revokedAt ?? null],
  );
  return { id, name, text };
}

export interface KeyFields {
  tenantId: string;
  name?: string;
  /** Default: all scopes. */
  scopes?: readonly Scope[];
  /** Networks in CIDR notation; null, the default: all. */
  allow?: readonly string[] | null;
  expiresAt?: Date;
  revokedAt?: Date;
}

/** Stores an API key and returns it. */
export async function givenKey(pool: Pool, fields: KeyFields): Promise<GivenCredential> {
  const { id, text, digest } = mintCredential('sfk');
  const { tenantId, name = `key ${id}`, scopes = ['ingest', 'read'], allow = null, expiresAt, revokedAt } = fields;
  await pool.query(
    `insert into api_keys (id, tenant_id, name, digest, scopes, allow, created_by, expires_at, revoked_at)
     values ($1, $2, $3, $4, $5, $6, 'test', $7, $8)`,
    [id, tenantId, name, digest, scopes, allow, expiresAt ?? null, revokedAt ?? null],
  );
  return { id, name, text };
}

/** Makes an application in this process heed a changed credential or tenant at once. */
export function heedAccess(app: NestFastifyApplication): void {
  app.get(AccessDirectory).invalidate();
}
