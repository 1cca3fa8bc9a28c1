import type { OperatorRole } from './operator-roles';

/** What an API key may be used for. */
export const SCOPES = ['ingest', 'read'] as const;
export type Scope = (typeof SCOPES)[number];

/** A producer that sends an API key, which gives its tenant. */
export interface KeyCaller {
  kind: 'key';
  id: string;
  name: string;
  tenantId: string;
  scopes: readonly Scope[];
}

/** A producer that only names its tenant, where TENANT_AUTH allows it. */
export interface HeaderCaller {
  kind: 'header';
  tenantId: string;
}

/** An operator: the holder of ADMIN_TOKEN, of a token `sfa_…`, or of a token of the OIDC issuer. */
export interface OperatorCaller {
  kind: 'operator';
  /** The id of the token, or the `sub` of an OIDC token; null for ADMIN_TOKEN. */
  id: string | null;
  /** Stands in the audit trail. */
  name: string;
  role: OperatorRole;
  /** The tenants that the operator is bound to; null: all tenants. */
  tenantIds: readonly string[] | null;
}

export type TenantCaller = KeyCaller | HeaderCaller;
export type Caller = TenantCaller | OperatorCaller;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request; set by a guard. */
    caller?: Caller;
    /** The tenant of the request; set by a guard. Undefined for an operator who names none. */
    tenantId?: string;
  }
}
