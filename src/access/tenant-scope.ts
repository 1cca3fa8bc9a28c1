import { mayActFor, tenantsCovered, type ActingOperator, type TenantIds } from './acting-operator';
import { Problem } from '../event/problems';

/** The tenants that a statement covers. Both are null for all tenants. */
export interface TenantScope {
  /** The only tenant. */
  tenantId: string | null;
  /** The tenants of an operator who is bound; null for other operators, so that conditions on it drop out of the plan. */
  tenantIds: TenantIds;
}

export const ALL_TENANTS: TenantScope = { tenantId: null, tenantIds: null };

/** No tenant has this id. A search in it costs the same as one in a tenant that does not exist. */
const NO_TENANT = '-';

/** Returns what a request covers that names a tenant, or none. An operator of one tenant need not name it. */
export function scopeOf(acting: Pick<ActingOperator, 'tenantIds'>, tenantId: string | undefined): TenantScope {
  const covered = tenantsCovered(acting, tenantId);
  if (covered === null) return ALL_TENANTS;
  const tenantIds = acting.tenantIds === null ? null : covered;
  return { tenantId: covered.length > 1 ? null : (covered[0] ?? NO_TENANT), tenantIds };
}

/** @throws Problem `tenant-not-found` for a tenant that the operator may not see, registered or not */
export function refuseOtherTenant(acting: Pick<ActingOperator, 'tenantIds'>, tenantId: string): void {
  if (!mayActFor(acting, tenantId)) noSuchTenant();
}

export function noSuchTenant(): never {
  throw new Problem('tenant-not-found', 'No tenant has this id.');
}
