import { Logger } from '@nestjs/common';
import { Pool, types, type PoolClient, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { RareLog } from '../observability/rare-log';
import { LOST } from './failure-classes';
import { clientWithPasswordOf } from './password-file';
import { failureClassOf } from './pg-errors';
import { SilentConnections } from './silent-connections';
import { connectionConfig } from './session/connection-config';
import { SESSION_NEEDS } from './session/session-needs';

/** What query functions accept: the pool, or a client inside a transaction. */
export type Db = Pick<PoolClient, 'query'>;

const TIMESTAMPTZ = 1184;
const JSON_TEXT = 114;
/** Length of 'YYYY-MM-DD hh:mm:ss'. */
const SECONDS_END = 19;

/** Converts '2026-01-31 12:00:00.12+00' (sessions run in UTC) to '2026-01-31T12:00:00.120Z'. */
export function instantFromPg(text: string): string {
  const fraction = text.charAt(SECONDS_END) === '.' ? text.slice(SECONDS_END + 1, text.indexOf('+')) : '';
  return `${text.slice(0, 10)}T${text.slice(11, SECONDS_END)}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
}

const typeParser = ((oid: number): ((text: string) => unknown) => {
  if (oid === TIMESTAMPTZ) return instantFromPg;
  if (oid === JSON_TEXT) return (text) => text;
  return types.getTypeParser(oid) as (text: string) => unknown;
}) as typeof types.getTypeParser;

/** Longer than statement_timeout (session/session-needs.ts), so that PostgreSQL ends a slow statement first. */
const QUERY_TIMEOUT_MS = 35_000;

/**
 * Creates a pool whose rows need no further conversion: timestamptz becomes RFC 3339 text; json stays text, because
 * parsing it would round numbers; bigint stays text. Statements that are sent to one client without awaiting each other
 * go out at once and are answered in order.
 * @param passwordFile DATABASE_PASSWORD_FILE, which each new connection reads
 * @throws SessionError
 */
export function createPool(databaseUrl: string, applicationName: string, passwordFile?: string): Pool {
  const config = connectionConfig(databaseUrl, applicationName, SESSION_NEEDS);
  const pool = new Pool({
    ...config,
    max: 10,
    query_timeout: config.query_timeout ?? QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: typeParser },
    ...(passwordFile === undefined ? {} : { Client: clientWithPasswordOf(passwordFile) }),
  });
  const logger = new Logger('Postgres');
  const lost = new RareLog();
  // A connection that breaks while it is checked out fails its query, and the caller handles that error. Without this
  // listener, the client's 'error' event would end the process.
  pool.on('connect', (client) => client.on('error', (error) => logger.debug(`connection lost: ${error.message}`)));
  pool.on('error', ({ message }) =>
    lost.log((n) => logger.warn(`${n} idle connections lost, the next queries open new ones: ${message}`)),
  );
  new SilentConnections(pool);
  return pool;
}

/** The caller ignored the error of a statement; PostgreSQL had aborted the transaction. */
class AbortedTransactionError extends Error {}

/**
 * Runs `work` in one transaction and returns its result. Rolls back when `work` throws or `commits` returns false for
 * the result.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (db: PoolClient) => Promise<T>,
  commits: (result: T) => boolean = () => true,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    if (!commits(result)) {
      await client.query('rollback');
      return result;
    }
    const { command } = await client.query('commit');
    // PostgreSQL answers a commit with ROLLBACK, and no error, when `work` ignored a failed statement.
    if (command === 'ROLLBACK') throw new AbortedTransactionError('rolled back: a statement had failed before commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken); // a connection that cannot roll back is closed, not reused
  }
}

/**
 * Runs one statement in a transaction with its own settings ('set local …'), in one round trip instead of four. If
 * only `begin` fails, for example because an operator cancels it, the statement has been committed by itself although
 * this function throws. Use it only where that does no harm.
 */
export async function queryWithSettings<Row extends QueryResultRow>(
  pool: Pool,
  settings: string,
  query: QueryConfig,
): Promise<QueryResult<Row>> {
  const client = await pool.connect();
  const [begun, answered, committed] = await Promise.allSettled([
    client.query(`begin; ${settings}`),
    client.query<Row>(query),
    client.query('commit'), // rolls back when the statement failed
  ]);
  client.release(committed.status === 'rejected');
  if (answered.status === 'rejected') throw answered.reason;
  if (begun.status === 'rejected') throw begun.reason;
  if (committed.status === 'rejected') throw committed.reason;
  return answered.value;
}

/** Runs `work` on one connection, without a transaction. Reads that `work` sends at once cost one round trip. */
export async function onOneConnection<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    if (failureClassOf(error) === LOST) broken = error as Error; // it may still wait for an answer
    throw error;
  } finally {
    client.release(broken);
  }
}
