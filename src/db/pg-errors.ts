import { types } from 'node:util';

/**
 * What a failed statement says about the data it carried:
 * - data: PostgreSQL can never store this content. A single event is rejected; in a batch, bisection finds it.
 * - transient: the same statement may succeed when repeated (deadlock, serialisation failure, lock timeout)
 * - unavailable: the database cannot be reached, is shutting down, or lacks resources
 * - unexpected: everything else; most likely a bug in StreamForge
 */
export type PgFailure = 'data' | 'transient' | 'unavailable' | 'unexpected';

const TRANSIENT = new Set(['40001', '40P01', '55P03']);
const UNAVAILABLE_CLASSES = ['08', '53', '57', '58'];
const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EPROTO',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
]);

/** No connection was made: the certificate of the server is refused. */
const TLS_CODE = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|UNABLE_TO_|DEPTH_ZERO_)/;

/**
 * Node throws AggregateError with one error for each address that it tried. TypeORM throws the other one when a
 * connection breaks during a migration.
 */
const LOST_BY_NAME = new Set(['AggregateError', 'QueryRunnerAlreadyReleasedError']);

/** pg sets no code on a lost connection or on its own timeouts. Only here is an error recognised by its message. */
const PG_CONNECTION_MESSAGE =
  /^(Connection terminated|The server does not support SSL|There was an error establishing an SSL|Query read timeout|timeout expired|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/** The SQLSTATE or system error code, if the error has one. */
export function errorCode(error: unknown): string | undefined {
  const code = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** No connection was made, whatever the code: no route, no port, no file descriptor. */
const isOfConnect = (error: unknown): boolean =>
  types.isNativeError(error) && 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');

export function classifyPgError(error: unknown): PgFailure {
  const code = errorCode(error);
  if (types.isNativeError(error) && LOST_BY_NAME.has(error.name)) return 'unavailable';
  if (code === undefined) {
    return types.isNativeError(error) && PG_CONNECTION_MESSAGE.test(error.message) ? 'unavailable' : 'unexpected';
  }
  if (UNAVAILABLE_CODES.has(code) || TLS_CODE.test(code) || isOfConnect(error)) return 'unavailable';
  if (TRANSIENT.has(code)) return 'transient';
  if (/^(22|23|54)/.test(code)) return 'data';
  return UNAVAILABLE_CLASSES.includes(code.slice(0, 2)) ? 'unavailable' : 'unexpected';
}

/** Read-only (25006), as on a standby; access refused (28), as after a change of the password; no such database (3D000), as during a restore. */
const WORTH_WAITING_FOR = /^(25006|28...|3D000)$/;

/** True if the same statement can succeed later without any change. After any other error, waiting may never end. */
export function isWorthWaitingFor(error: unknown): boolean {
  const failure = classifyPgError(error);
  return failure === 'unavailable' || failure === 'transient' || WORTH_WAITING_FOR.test(errorCode(error) ?? '');
}
