import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../../../src/event/problems';
import { readIngestContext } from '../../../src/ingest/ingest-context';

const read = (headers: IncomingHttpHeaders): ReturnType<typeof readIngestContext> =>
  readIngestContext({ id: 'c-1', headers, tenantId: 'acme' });

function codeOf(headers: IncomingHttpHeaders): string {
  try {
    read(headers);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}
const withKeys = (ours?: string, ietf?: string): IncomingHttpHeaders => ({
  'x-idempotency-key': ours,
  'idempotency-key': ietf,
});

describe('readIngestContext', () => {
  it('reads tenant, correlation id, trace context and idempotency key', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(read({ 'x-idempotency-key': 'k', traceparent })).toEqual({
      tenantId: 'acme',
      correlationId: 'c-1',
      traceparent,
      idempotencyKey: 'k',
    });
  });

  it('omits a key that was not sent and a trace context that is invalid', () => {
    expect(read({ traceparent: 'nonsense' })).toEqual({
      tenantId: 'acme',
      correlationId: 'c-1',
      traceparent: undefined,
      idempotencyKey: undefined,
    });
  });

  it('fails when no guard has set the tenant', () => {
    expect(() => readIngestContext({ id: 'c-1', headers: {} })).toThrow('no guard');
  });

  it('accepts the idempotency key under either name, or under both if they agree', () => {
    expect(read(withKeys('k')).idempotencyKey).toBe('k');
    expect(read(withKeys(undefined, 'k')).idempotencyKey).toBe('k');
    expect(read(withKeys('k', 'k')).idempotencyKey).toBe('k');
    expect(codeOf(withKeys('k', 'l'))).toBe('idempotency-key-invalid');
  });

  it.each(['', 'a b', 'x'.repeat(256), 'é', 'k, k'])('rejects the idempotency key %j', (key) => {
    expect(codeOf(withKeys(key))).toBe('idempotency-key-invalid');
    expect(codeOf(withKeys(undefined, key))).toBe('idempotency-key-invalid');
  });
});
