import type { AccessDirectory } from '../../access/identity/access-directory';
import type { Problem } from '../../event/problems';
import { RESERVED_TENANT } from '../../event/tenant';
import type { LiveSource } from './live-source';
import { sourceUnavailable } from './source-unavailable';

export interface RefusalTools {
  directory: AccessDirectory;
  /** TENANT_ALLOWLIST. */
  allowlist: readonly string[];
}

/**
 * Returns the problem of all requests to a source that takes none now; undefined if it takes requests. Call `ensureFresh`
 * of the directory before.
 */
export function sourceRefusal(
  { row: { status, tenantId } }: LiveSource,
  { directory, allowlist }: RefusalTools,
): Problem | undefined {
  if (status === 'paused') return sourceUnavailable('The source is paused.');
  if (tenantId === RESERVED_TENANT) {
    return sourceUnavailable(`The tenant ${RESERVED_TENANT} is reserved: create the source for another tenant.`);
  }
  if (directory.tenant(tenantId)?.status === 'suspended') {
    return sourceUnavailable('The tenant of the source is suspended.');
  }
  const isAllowed = allowlist.length === 0 || allowlist.includes(tenantId);
  return isAllowed ? undefined : sourceUnavailable('The tenant of the source is not on the allowlist.');
}
