import { types } from 'node:util';
import { CANCELLED, FAILURE_CLASSES, LOST, type FailureClass, type PgFailure } from './failure-classes';

const BY_CODE: ReadonlyMap<string, FailureClass> = new Map(
  FAILURE_CLASSES.flatMap((one) => one.codes.map((code) => [code, one] as const)),
);

const LOST_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EPROTO',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);

/** No connection was made: the certificate of the server is refused. */
const TLS_CODE = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|UNABLE_TO_|DEPTH_ZERO_)/;

/**
 * Node throws AggregateError with one error for each address that it tried. TypeORM throws the other one when a
 * connection breaks during a migration. SessionError: the session of a new connection is not what is needed.
 */
const LOST_BY_NAME = new Set(['AggregateError', 'QueryRunnerAlreadyReleasedError', 'SessionError']);

/** pg sets no code on a lost connection or on its own timeouts. Only here is an error recognised by its message. */
const PG_CONNECTION_MESSAGE =
  /^(Connection terminated|The server does not support SSL|There was an error establishing an SSL|Query read timeout|timeout expired|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/** The SQLSTATE or system error code, if the error has one. */
export function errorCode(error: unknown): string | undefined {
  const code = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** No connection was made, whatever the code: no route, no port, no file descriptor, no socket of that name (ENOENT). */
const isOfConnect = (error: unknown): boolean =>
  types.isNativeError(error) && 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');

/** Returns undefined for a fault of the statement itself, and for errors that are not of PostgreSQL. */
export function failureClassOf(error: unknown): FailureClass | undefined {
  const code = errorCode(error);
  if (types.isNativeError(error) && LOST_BY_NAME.has(error.name)) return LOST;
  if (code === undefined) {
    return types.isNativeError(error) && PG_CONNECTION_MESSAGE.test(error.message) ? LOST : undefined;
  }
  if (LOST_CODES.has(code) || TLS_CODE.test(code) || isOfConnect(error)) return LOST;
  return /^[0-9A-Z]{5}$/.test(code) ? (BY_CODE.get(code) ?? BY_CODE.get(code.slice(0, 2))) : undefined;
}

export function classifyPgError(error: unknown): PgFailure {
  return failureClassOf(error)?.failure ?? 'unexpected';
}

/** True if the same statement can succeed later without any change. After any other error, waiting may never end. */
export function isWorthWaitingFor(error: unknown): boolean {
  const failure = classifyPgError(error);
  return failure === 'unavailable' || failure === 'transient';
}

/** PostgreSQL is there, but the statement took too long. Somebody may hold a lock that it needs. */
export function isCancelled(error: unknown): boolean {
  return failureClassOf(error) === CANCELLED;
}

/** True if one event may have caused the failure, although PostgreSQL works as it should. */
export function isMaybeOfOne(error: unknown): boolean {
  return failureClassOf(error)?.maybeOfOne === true;
}

/** True if PostgreSQL cannot do its work now: whatever is tried next fails in the same way. */
export function failsForAll(error: unknown): boolean {
  return classifyPgError(error) === 'unavailable' && !isCancelled(error) && !isMaybeOfOne(error);
}

/** True if a process that starts should go on and wait, false if the set-up is more likely at fault. */
export function isWaitedForAtStart(error: unknown): boolean {
  const found = failureClassOf(error);
  return found?.failure === 'unavailable' && !found.ofSetUp;
}
