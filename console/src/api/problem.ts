export interface FieldError {
  pointer: string;
  code: string;
  message: string;
}

/** What the api said instead of carrying a request out. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    /** A code of the catalogue, such as `role-insufficient`; `unexpected-response` when the response is no problem. */
    readonly code: string,
    detail: string,
    readonly correlationId: string | undefined,
    /** Whether the same request may succeed later. */
    readonly retryable: boolean,
    readonly errors: readonly FieldError[] = [],
  ) {
    super(detail);
    this.name = 'ApiProblem';
  }
}

/** No response came: whether the request was carried out is not known. */
export class ConnectionLost extends Error {
  constructor() {
    super('StreamForge does not respond. It may be restarting, or the network is down.');
    this.name = 'ConnectionLost';
  }
}

interface SentProblem {
  code?: unknown;
  title?: unknown;
  detail?: unknown;
  retryable?: unknown;
  correlationId?: unknown;
  errors?: unknown;
}

/** Reads a response that is no success. A proxy in between may have sent something else than a problem. */
export function problemOf(status: number, text: string, correlationId: string | undefined): ApiProblem {
  const sent = readObject(text);
  const id = typeof sent.correlationId === 'string' ? sent.correlationId : correlationId;
  if (typeof sent.code !== 'string') {
    const retryable = status >= 500 || status === 429;
    return new ApiProblem(status, 'unexpected-response', `The response has the status ${status}.`, id, retryable);
  }
  const detail = typeof sent.detail === 'string' ? sent.detail : String(sent.title);
  return new ApiProblem(status, sent.code, detail, id, sent.retryable === true, fieldErrorsOf(sent.errors));
}

function readObject(text: string): SentProblem {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {}; // an HTML page of a proxy, for instance
  }
}

const fieldErrorsOf = (errors: unknown): FieldError[] => (Array.isArray(errors) ? (errors as FieldError[]) : []);

/** Whether an action may have been carried out although it failed. Only the same request again is safe then. */
export const mayHaveActed = (error: unknown): boolean =>
  error instanceof ConnectionLost || (error instanceof ApiProblem && error.status >= 500);

/** Whether a read is worth another try without a person. An action never is: it may have been carried out. */
export const isTransient = (error: unknown): boolean =>
  error instanceof ConnectionLost || (error instanceof ApiProblem && error.status >= 500 && error.retryable);
