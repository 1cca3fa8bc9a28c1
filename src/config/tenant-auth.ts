import type { Settings } from './settings';

/**
 * Returns what is unsafe about the way in which tenants prove who they are, and what to do about it, or undefined. The
 * setting is a choice, so this is a warning.
 */
export function riskOfTenantAuth({ NODE_ENV, TENANT_AUTH }: Pick<Settings, 'NODE_ENV' | 'TENANT_AUTH'>) {
  if (TENANT_AUTH === 'both') {
    return 'TENANT_AUTH is both, so a request that only names its tenant is still admitted: set it to key when all producers send keys.';
  }
  if (TENANT_AUTH === 'header' && NODE_ENV === 'production') {
    return 'TENANT_AUTH is header, so anyone who can reach the api can name any tenant: let a proxy set X-Tenant-Id, or change over to API keys (docs/access.md).';
  }
  return undefined;
}
