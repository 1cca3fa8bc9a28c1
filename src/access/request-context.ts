import type { IncomingHttpHeaders } from 'node:http';
import type { Settings } from '../config/settings';
import { isIdempotencyKey } from '../event/idempotency-key';
import type { RequestContext } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { isTenantId } from '../event/tenant';
import { readTraceparent } from '../http/correlation';

/** What the headers say about every event of a request. @throws Problem for a header that breaks its rule. */
export function readRequestContext(
  headers: IncomingHttpHeaders,
  correlationId: string,
  settings: Pick<Settings, 'TENANT_ALLOWLIST'>,
): RequestContext {
  return {
    tenantId: readTenant(headers, settings.TENANT_ALLOWLIST),
    correlationId,
    traceparent: readTraceparent({ headers }),
    idempotencyKey: readIdempotencyKey(headers),
  };
}

/** Node joins repeated headers with a comma, which no tenant id contains: two of them are refused. */
export function readTenant(headers: IncomingHttpHeaders, allowlist: readonly string[]): string {
  const tenant = headers['x-tenant-id'];
  if (tenant === undefined) throw new Problem('tenant-required', 'Send the tenant as X-Tenant-Id.');
  if (typeof tenant !== 'string' || !isTenantId(tenant)) {
    throw new Problem('tenant-invalid', 'X-Tenant-Id is one value of 1 to 128 letters, digits and . _ : -');
  }
  if (allowlist.length > 0 && !allowlist.includes(tenant)) {
    throw new Problem('tenant-not-allowed', 'This tenant is not on the allowlist.');
  }
  return tenant;
}

function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const ours = headers['x-idempotency-key'];
  const ietf = headers['idempotency-key'];
  if (ours !== undefined && ietf !== undefined && ours !== ietf) {
    throw new Problem('idempotency-key-invalid', 'X-Idempotency-Key and Idempotency-Key differ; send one.');
  }
  const key = ours ?? ietf;
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !isIdempotencyKey(key)) {
    throw new Problem('idempotency-key-invalid', 'An idempotency key is 1 to 255 visible ASCII characters, sent once.');
  }
  return key;
}
