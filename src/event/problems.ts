/**
 * The catalogue of everything that can be refused: one stable code, its HTTP status and whether the same request may
 * succeed later. Clients branch on `code` and `retryable`; the wording of titles and details may change.
 */
const CATALOGUE = {
  'malformed-body': { status: 400, retryable: false, title: 'The body cannot be read' },
  'invalid-event': { status: 400, retryable: false, title: 'The event breaks a rule of the envelope' },
  'invalid-request': { status: 400, retryable: false, title: 'The request breaks a rule of this endpoint' },
  'unsupported-character': { status: 400, retryable: false, title: 'The event holds a character that cannot be kept' },
  'tenant-required': { status: 400, retryable: false, title: 'The X-Tenant-Id header is missing' },
  'tenant-invalid': { status: 400, retryable: false, title: 'The X-Tenant-Id header is not a tenant id' },
  'idempotency-key-invalid': { status: 400, retryable: false, title: 'The idempotency key is not usable' },
  'admin-token-invalid': { status: 401, retryable: false, title: 'The X-Admin-Token header is missing or wrong' },
  'metrics-token-invalid': { status: 401, retryable: false, title: 'The metrics token is missing or wrong' },
  'tenant-not-allowed': { status: 403, retryable: false, title: 'This tenant is not allowed here' },
  'replay-not-found': { status: 404, retryable: false, title: 'There is no such replay' },
  'destination-not-found': { status: 404, retryable: false, title: 'There is no such destination' },
  'event-not-found': { status: 404, retryable: false, title: 'There is no such event' },
  'route-not-found': { status: 404, retryable: false, title: 'There is no such endpoint' },
  'method-not-allowed': { status: 405, retryable: false, title: 'This endpoint does not know that method' },
  'not-acceptable': { status: 406, retryable: false, title: 'None of the accepted media types can be produced' },
  'request-timeout': { status: 408, retryable: true, title: 'The body stalled' },
  'event-id-conflict': { status: 409, retryable: false, title: 'This eventId belongs to an event with other content' },
  'too-many-destinations': { status: 409, retryable: false, title: 'There are as many destinations as there may be' },
  'event-too-large': { status: 413, retryable: false, title: 'The event is too large' },
  'stream-too-large': { status: 413, retryable: false, title: 'The stream is too large' },
  'unsupported-media-type': { status: 415, retryable: false, title: 'The Content-Type is not supported' },
  'unsupported-content-encoding': { status: 415, retryable: false, title: 'The Content-Encoding is not supported' },
  'headers-too-large': { status: 431, retryable: false, title: 'The headers of the request are too large' },
  'idempotency-key-reused': {
    status: 422,
    retryable: false,
    title: 'The idempotency key was used for other content',
  },
  'stream-rejected': { status: 422, retryable: false, title: 'Every record of the stream was rejected' },
  'tenant-rate-limited': { status: 429, retryable: true, title: 'The tenant has sent too many events' },
  'admin-rate-limited': { status: 429, retryable: true, title: 'This address has sent too many admin requests' },
  'internal-error': { status: 500, retryable: true, title: 'The request failed inside StreamForge' },
  overloaded: { status: 503, retryable: true, title: 'Too much is waiting to be stored' },
  'storage-unavailable': { status: 503, retryable: true, title: 'The database cannot be reached' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ProblemCode = keyof typeof CATALOGUE;
export const PROBLEM_CODES = Object.keys(CATALOGUE) as ProblemCode[];

/** One offending place in what the caller sent. `pointer` is a JSON Pointer (RFC 6901) into the event. */
export interface ErrorDetail {
  pointer: string;
  code: ProblemCode;
  message: string;
}

/** An error of the code `invalid-event`. */
export function invalidEvent(pointer: string, message: string): ErrorDetail {
  return { pointer, code: 'invalid-event', message };
}

export interface ProblemExtras {
  /** Which places are wrong, for validation errors. */
  errors?: ErrorDetail[];
  /** Sent as the Retry-After header. Seconds. */
  retryAfterSeconds?: number;
  /** Further members of the body, such as the `summary` of a stream that broke. */
  members?: Record<string, unknown>;
}

/** A refusal from the catalogue. Thrown only where a request ends; inside the pipeline refusals are values. */
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

  /** The RFC 9457 body. */
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
