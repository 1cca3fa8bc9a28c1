import { types } from 'node:util';

/**
 * What a failed statement means for what it carried:
 * - data: this content can never be stored; alone it is rejected, in a batch it is looked for by bisection
 * - transient: the same statement may work when repeated (deadlock, serialisation)
 * - unavailable: the database cannot be reached or is shutting down
 * - unexpected: everything else, a fault of ours
 */
export type PgFailure = 'data' | 'transient' | 'unavailable' | 'unexpected';

const TRANSIENT = new Set(['40001', '40P01', '55P03']);
const UNAVAILABLE_CLASSES = ['08', '53', '57', '58'];
const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
]);

/** AggregateError: one error per address that was tried. The other is TypeORM's for a connection that broke during a migration. */
const LOST_BY_NAME = new Set(['AggregateError', 'QueryRunnerAlreadyReleasedError']);

/** pg gives no code to a lost connection and to its own timeouts, so here alone the message has to tell. */
const PG_CONNECTION_MESSAGE =
  /^(Connection terminated|Query read timeout|timeout expired|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/** The SQLSTATE or system error code, if the error has one. */
export function errorCode(error: unknown): string | undefined {
  const code = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function classifyPgError(error: unknown): PgFailure {
  const code = errorCode(error);
  if (types.isNativeError(error) && LOST_BY_NAME.has(error.name)) return 'unavailable';
  if (code === undefined) {
    return types.isNativeError(error) && PG_CONNECTION_MESSAGE.test(error.message) ? 'unavailable' : 'unexpected';
  }
  if (UNAVAILABLE_CODES.has(code)) return 'unavailable';
  if (TRANSIENT.has(code)) return 'transient';
  if (/^(22|23|54)/.test(code)) return 'data';
  return UNAVAILABLE_CLASSES.includes(code.slice(0, 2)) ? 'unavailable' : 'unexpected';
}
