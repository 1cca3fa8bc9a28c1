import { Problem, type ProblemCode } from '../../../src/event/problems';

/** The status of every code. A new code does not compile until it is listed here. */
const STATUS_OF_CODE: Record<ProblemCode, number> = {
  'malformed-body': 400,
  'invalid-event': 400,
  'invalid-request': 400,
  'tenant-required': 400,
  'tenant-invalid': 400,
  'idempotency-key-invalid': 400,
  'unsupported-character': 400,
  'admin-token-invalid': 401,
  'api-key-missing': 401,
  'api-key-invalid': 401,
  'api-key-expired': 401,
  'signature-missing': 401,
  'signature-invalid': 401,
  'signature-expired': 401,
  'metrics-token-invalid': 401,
  'tenant-not-allowed': 403,
  'tenant-mismatch': 403,
  'tenant-suspended': 403,
  'tenant-reserved': 403,
  'scope-missing': 403,
  'role-insufficient': 403,
  'address-not-allowed': 403,
  'tenant-not-found': 404,
  'key-not-found': 404,
  'operator-not-found': 404,
  'destination-not-found': 404,
  'source-not-found': 404,
  'rejection-not-found': 404,
  'delivery-not-found': 404,
  'destination-disabled': 409,
  'raw-not-found': 404,
  'event-not-found': 404,
  'action-not-found': 404,
  'erasure-not-found': 404,
  'replay-not-found': 404,
  'route-not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  'request-timeout': 408,
  'already-exists': 409,
  'event-id-conflict': 409,
  'event-id-ambiguous': 409,
  'event-not-failed': 409,
  'event-erased': 409,
  'event-in-process': 409,
  'too-many-revisions': 409,
  'idempotency-in-flight': 409,
  'too-many-credentials': 409,
  'too-many-expectations': 409,
  'too-many-sources': 409,
  'too-many-destinations': 409,
  'host-not-allowed': 421,
  'event-too-large': 413,
  'stream-too-large': 413,
  'expansion-too-large': 413,
  'unsupported-media-type': 415,
  'unsupported-content-encoding': 415,
  'idempotency-key-reused': 422,
  'stream-rejected': 422,
  'tenant-rate-limited': 429,
  'too-many-streams': 429,
  'headers-too-large': 431,
  'admin-rate-limited': 429,
  'internal-error': 500,
  'source-unavailable': 503,
  overloaded: 503,
  'storage-unavailable': 503,
  'issuer-unavailable': 503,
  'upgrade-unfinished': 503,
  'provider-unavailable': 503,
};
const CODES = Object.entries(STATUS_OF_CODE) as [ProblemCode, number][];

describe('Problem', () => {
  it.each(CODES)('gives %s the status %i', (code, status) => {
    expect(new Problem(code, 'x').status).toBe(status);
  });

  it.each(CODES)('renders %s as an RFC 9457 body that says whether a retry may help', (code, status) => {
    const body = new Problem(code, 'What is wrong.').toBody('c-1');
    expect(body).toEqual({
      type: `urn:streamforge:problem:${code}`,
      title: body.title,
      status,
      detail: 'What is wrong.',
      code,
      retryable:
        [408, 429].includes(status) || status >= 500 || ['idempotency-in-flight', 'event-in-process'].includes(code),
      correlationId: 'c-1',
    });
    expect(body.title).toMatch(/^[A-Z].{5,}[^.]$/);
  });

  it('lists the invalid places of a validation error', () => {
    const errors = [{ pointer: '/payload', code: 'invalid-event' as const, message: 'is required' }];
    expect(new Problem('invalid-event', 'x', { errors }).toBody('c-1')).toMatchObject({ errors });
  });

  it('adds further members, such as the summary of a stream that broke off', () => {
    const members = { summary: { records: 2 }, lastCommittedRecord: 2 };
    expect(new Problem('stream-too-large', 'x', { members }).toBody('c-1')).toMatchObject(members);
  });

  it('omits the stack and the Retry-After value from the body', () => {
    const body = new Problem('overloaded', 'x', { retryAfterSeconds: 1 }).toBody('c-1');
    expect(Object.keys(body).toSorted()).toEqual(
      ['code', 'correlationId', 'detail', 'retryable', 'status', 'title', 'type'].toSorted(),
    );
  });
});
