import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../../../src/event/problems';
import { readRequestContext } from '../../../src/access/request-context';

const read = (headers: IncomingHttpHeaders, allowlist: string[] = []): ReturnType<typeof readRequestContext> =>
  readRequestContext(headers, 'c-1', { TENANT_ALLOWLIST: allowlist });

function codeOf(headers: IncomingHttpHeaders, allowlist: string[] = []): string {
  try {
    read(headers, allowlist);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}
const withKeys = (ours?: string, ietf?: string): IncomingHttpHeaders => ({
  'x-tenant-id': 'acme',
  'x-idempotency-key': ours,
  'idempotency-key': ietf,
});

describe('the context of a request', () => {
  it('is tenant, correlation, trace and key', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(read({ 'x-tenant-id': 'acme', 'x-idempotency-key': 'k', traceparent })).toEqual({
      tenantId: 'acme',
      correlationId: 'c-1',
      traceparent,
      idempotencyKey: 'k',
    });
    expect(read({ 'x-tenant-id': 'acme', traceparent: 'nonsense' })).toEqual({
      tenantId: 'acme',
      correlationId: 'c-1',
      traceparent: undefined,
      idempotencyKey: undefined,
    });
  });

  it('needs a tenant', () => {
    expect(codeOf({})).toBe('tenant-required');
  });

  it.each(['', 'a b', '-a', 'x'.repeat(129), 'acme, acme', 'acme,other'])('refuses the tenant %j', (tenant) => {
    expect(codeOf({ 'x-tenant-id': tenant })).toBe('tenant-invalid');
  });

  it('refuses a tenant that is not on the allowlist, when there is one', () => {
    expect(codeOf({ 'x-tenant-id': 'acme' }, ['acme', 'other'])).toBe('accepted');
    expect(codeOf({ 'x-tenant-id': 'Acme' }, ['acme', 'other'])).toBe('tenant-not-allowed');
    expect(codeOf({ 'x-tenant-id': 'not valid' }, ['acme'])).toBe('tenant-invalid');
  });

  it('takes the idempotency key by either name, or by both if they agree', () => {
    expect(read(withKeys('k')).idempotencyKey).toBe('k');
    expect(read(withKeys(undefined, 'k')).idempotencyKey).toBe('k');
    expect(read(withKeys('k', 'k')).idempotencyKey).toBe('k');
    expect(codeOf(withKeys('k', 'l'))).toBe('idempotency-key-invalid');
  });

  it.each(['', 'a b', 'x'.repeat(256), 'é', 'k, k'])('refuses the idempotency key %j', (key) => {
    expect(codeOf(withKeys(key))).toBe('idempotency-key-invalid');
    expect(codeOf(withKeys(undefined, key))).toBe('idempotency-key-invalid');
  });
});
