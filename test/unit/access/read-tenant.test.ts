import type { IncomingHttpHeaders } from 'node:http';
import { readTenant } from '../../../src/access/tenant-access';
import { Problem } from '../../../src/event/problems';

function codeOf(headers: IncomingHttpHeaders): string {
  try {
    readTenant(headers);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('readTenant', () => {
  it('reads the tenant from X-Tenant-Id', () => {
    expect(readTenant({ 'x-tenant-id': 'acme' })).toBe('acme');
  });

  it('rejects a request without a tenant', () => {
    expect(codeOf({})).toBe('tenant-required');
  });

  it.each(['', 'a b', '-a', 'x'.repeat(129), 'acme, acme', 'acme,other'])('rejects the tenant %j', (tenant) => {
    expect(codeOf({ 'x-tenant-id': tenant })).toBe('tenant-invalid');
  });
});
