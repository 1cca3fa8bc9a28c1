import type { IncomingHttpHeaders } from 'node:http';
import { readTenant } from '../../../src/access/tenant.guard';
import { Problem } from '../../../src/event/problems';

function codeOf(headers: IncomingHttpHeaders, allowlist: string[] = []): string {
  try {
    readTenant(headers, allowlist);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('readTenant', () => {
  it('reads the tenant from X-Tenant-Id', () => {
    expect(readTenant({ 'x-tenant-id': 'acme' }, [])).toBe('acme');
  });

  it('rejects a request without a tenant', () => {
    expect(codeOf({})).toBe('tenant-required');
  });

  it.each(['', 'a b', '-a', 'x'.repeat(129), 'acme, acme', 'acme,other'])('rejects the tenant %j', (tenant) => {
    expect(codeOf({ 'x-tenant-id': tenant })).toBe('tenant-invalid');
  });

  it('rejects a tenant that is not on the allowlist, if there is one', () => {
    expect(codeOf({ 'x-tenant-id': 'acme' }, ['acme', 'other'])).toBe('accepted');
    expect(codeOf({ 'x-tenant-id': 'Acme' }, ['acme', 'other'])).toBe('tenant-not-allowed');
    expect(codeOf({ 'x-tenant-id': 'not valid' }, ['acme'])).toBe('tenant-invalid');
  });
});
