import type { Schema } from '../../api/endpoints';
import type { Filters } from '../../address';

export const TENANT_STATUSES: readonly Schema<'TenantStatus'>[] = ['active', 'suspended'];
export interface TenantSearch {
  status?: Schema<'TenantStatus'>;
}

export function readTenantSearch({ status }: Filters<'status'> & Record<string, unknown>): TenantSearch {
  const known = TENANT_STATUSES.find((one) => one === status);
  return known === undefined ? {} : { status: known };
}
