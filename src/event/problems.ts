/**
 * The catalogue of errors: a stable code, its HTTP status, and whether the same request may succeed later. Clients
 * branch on `code` and `retryable`; the wording of titles and details may change.
 */
const CATALOGUE = {
  'malformed-body': { status: 400, retryable: false, title: 'The body cannot be parsed' },
  'invalid-event': { status: 400, retryable: false, title: 'The event is invalid' },
  'invalid-request': { status: 400, retryable: false, title: 'The request is invalid' },
  'unsupported-character': {
    status: 400,
    retryable: false,
    title: 'The event contains a character that cannot be stored',
  },
  'tenant-required': { status: 400, retryable: false, title: 'The X-Tenant-Id header is missing' },
  'tenant-invalid': { status: 400, retryable: false, title: 'The X-Tenant-Id header is invalid' },
  'idempotency-key-invalid': { status: 400, retryable: false, title: 'The idempotency key is invalid' },
  'admin-token-invalid': {
    status: 401,
    retryable: false,
    title: 'The credentials of the operator are missing or wrong',
  },
  'api-key-missing': { status: 401, retryable: false, title: 'The API key is missing' },
  'api-key-invalid': { status: 401, retryable: false, title: 'The API key is not valid' },
  'api-key-expired': { status: 401, retryable: false, title: 'The API key has expired' },
  'signature-missing': { status: 401, retryable: false, title: 'The request is not signed' },
  'signature-invalid': { status: 401, retryable: false, title: 'The signature is not valid' },
  'signature-expired': { status: 401, retryable: false, title: 'The time of the signature is too far from now' },
  'metrics-token-invalid': { status: 401, retryable: false, title: 'The metrics token is missing or wrong' },
  'tenant-not-allowed': { status: 403, retryable: false, title: 'The tenant is not allowed' },
  'tenant-mismatch': { status: 403, retryable: false, title: 'X-Tenant-Id names another tenant than the API key' },
  'tenant-suspended': { status: 403, retryable: false, title: 'The tenant is suspended' },
  'tenant-reserved': { status: 403, retryable: false, title: 'The tenant id is reserved' },
  'scope-missing': { status: 403, retryable: false, title: 'The API key does not have the scope' },
  'role-insufficient': { status: 403, retryable: false, title: 'The role of the operator does not allow this' },
  'address-not-allowed': { status: 403, retryable: false, title: 'Requests from this address are not accepted' },
  'tenant-not-found': { status: 404, retryable: false, title: 'The tenant does not exist' },
  'key-not-found': { status: 404, retryable: false, title: 'The API key does not exist' },
  'operator-not-found': { status: 404, retryable: false, title: 'The operator does not exist' },
  'action-not-found': { status: 404, retryable: false, title: 'The action does not exist' },
  'erasure-not-found': { status: 404, retryable: false, title: 'The erasure does not exist' },
  'replay-not-found': { status: 404, retryable: false, title: 'The replay does not exist' },
  'destination-not-found': { status: 404, retryable: false, title: 'The destination does not exist' },
  'source-not-found': { status: 404, retryable: false, title: 'The source does not exist' },
  'rejection-not-found': { status: 404, retryable: false, title: 'The rejection does not exist' },
  'raw-not-found': { status: 404, retryable: false, title: 'The request of the event is not kept' },
  'delivery-not-found': { status: 404, retryable: false, title: 'The delivery does not exist' },
  'event-not-found': { status: 404, retryable: false, title: 'The event does not exist' },
  'route-not-found': { status: 404, retryable: false, title: 'The endpoint does not exist' },
  'method-not-allowed': { status: 405, retryable: false, title: 'The endpoint does not support this method' },
  'not-acceptable': { status: 406, retryable: false, title: 'None of the accepted media types can be produced' },
  'request-timeout': { status: 408, retryable: true, title: 'The request took too long to arrive' },
  'event-id-conflict': {
    status: 409,
    retryable: false,
    title: 'The eventId belongs to an event with different content',
  },
  'already-exists': { status: 409, retryable: false, title: 'Something with this id or name exists already' },
  'event-id-ambiguous': { status: 409, retryable: false, title: 'Several tenants have an event with this eventId' },
  'event-not-failed': { status: 409, retryable: false, title: 'The event has not failed' },
  'event-erased': { status: 409, retryable: false, title: 'The payload of the event was erased' },
  'event-in-process': { status: 409, retryable: true, title: 'The event is being processed' },
  'too-many-revisions': { status: 409, retryable: false, title: 'The event has the maximum number of revisions' },
  'idempotency-in-flight': {
    status: 409,
    retryable: true,
    title: 'A request with this idempotency key is in progress',
  },
  'too-many-credentials': {
    status: 409,
    retryable: false,
    title: 'The maximum number of live keys or operators is reached',
  },
  'too-many-expectations': {
    status: 409,
    retryable: false,
    title: 'The maximum number of expectations is reached',
  },
  'too-many-sources': { status: 409, retryable: false, title: 'The maximum number of sources is reached' },
  'destination-disabled': { status: 409, retryable: false, title: 'The destination is disabled' },
  'too-many-destinations': { status: 409, retryable: false, title: 'The maximum number of destinations is reached' },
  'event-too-large': { status: 413, retryable: false, title: 'The event is too large' },
  'stream-too-large': { status: 413, retryable: false, title: 'The stream is too large' },
  'expansion-too-large': { status: 413, retryable: false, title: 'The body expands too much when it is decoded' },
  'host-not-allowed': { status: 421, retryable: false, title: 'The Host header names a host that is not served here' },
  'unsupported-media-type': { status: 415, retryable: false, title: 'The Content-Type is not supported' },
  'unsupported-content-encoding': { status: 415, retryable: false, title: 'The Content-Encoding is not supported' },
  'headers-too-large': { status: 431, retryable: false, title: 'The request headers are too large' },
  'idempotency-key-reused': {
    status: 422,
    retryable: false,
    title: 'The idempotency key was used for different content',
  },
  'stream-rejected': { status: 422, retryable: false, title: 'Every record of the stream was rejected' },
  'tenant-rate-limited': { status: 429, retryable: true, title: 'The tenant has used up a limit per minute' },
  'too-many-streams': { status: 429, retryable: true, title: 'The tenant sends too many streams at a time' },
  'admin-rate-limited': { status: 429, retryable: true, title: 'This address has sent too many admin requests' },
  'internal-error': { status: 500, retryable: true, title: 'An internal error occurred' },
  'source-unavailable': { status: 503, retryable: true, title: 'The source does not accept requests now' },
  overloaded: { status: 503, retryable: true, title: 'Too much is waiting to be received or stored' },
  'storage-unavailable': { status: 503, retryable: true, title: 'The database is unavailable' },
  'upgrade-unfinished': { status: 503, retryable: true, title: 'A process of an earlier build is still running' },
  'provider-unavailable': { status: 503, retryable: true, title: 'The provider cannot be reached' },
  'issuer-unavailable': { status: 503, retryable: true, title: 'The OIDC issuer is unavailable' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ProblemCode = keyof typeof CATALOGUE;
export const PROBLEM_CODES = Object.keys(CATALOGUE) as ProblemCode[];

/** One invalid place in the caller's input. `pointer` is a JSON Pointer (RFC 6901) to it. */
export interface ErrorDetail {
  pointer: string;
  code: ProblemCode;
  message: string;
}

/** Returns an error detail with the code `invalid-event`. */
export function invalidEvent(pointer: string, message: string): ErrorDetail {
  return { pointer, code: 'invalid-event', message };
}

export interface ProblemExtras {
  /** The invalid places, for validation errors. */
  errors?: ErrorDetail[];
  /** Value of the Retry-After header, in seconds. */
  retryAfterSeconds?: number;
  /** Further headers of the response, such as the methods that are allowed. */
  headers?: Record<string, string>;
  /** Further members of the body, such as the `summary` of a stream that broke off. */
  members?: Record<string, unknown>;
}

/** An error from the catalogue, which ends a request. The rejection of a single record is a value instead. */
export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }

  get status(): number {
    return CATALOGUE[this.code].status;
  }

  /** Returns the same problem with further members. */
  with(members: Record<string, unknown>): Problem {
    return new Problem(this.code, this.detail, { ...this.extras, members: { ...this.extras.members, ...members } });
  }

  /** Returns the RFC 9457 body of the response. */
  toBody(correlationId: string): Record<string, unknown> {
    const { status, retryable, title } = CATALOGUE[this.code];
    return {
      type: `urn:streamforge:problem:${this.code}`,
      title,
      status,
      detail: this.detail,
      code: this.code,
      retryable,
      correlationId,
      ...(this.extras.errors ? { errors: this.extras.errors } : {}),
      ...this.extras.members,
    };
  }
}
