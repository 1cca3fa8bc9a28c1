import { Logger } from '@nestjs/common';
import { Pool, types, type PoolClient, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';

/** What query functions take: the pool, or a client that holds a transaction. */
export type Db = Pick<PoolClient, 'query'>;

const TIMESTAMPTZ = 1184;
const JSON_TEXT = 114;
/** Where 'YYYY-MM-DD hh:mm:ss' ends. */
const SECONDS_END = 19;

/** '2026-01-31 12:00:00.12+00' (the session is in UTC) → '2026-01-31T12:00:00.120Z'. */
export function instantFromPg(text: string): string {
  const fraction = text.charAt(SECONDS_END) === '.' ? text.slice(SECONDS_END + 1, text.indexOf('+')) : '';
  return `${text.slice(0, 10)}T${text.slice(11, SECONDS_END)}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
}

const typeParser = ((oid: number): ((text: string) => unknown) => {
  if (oid === TIMESTAMPTZ) return instantFromPg;
  if (oid === JSON_TEXT) return (text) => text;
  return types.getTypeParser(oid) as (text: string) => unknown;
}) as typeof types.getTypeParser;

/** Limits are the server's, so that a lost client cannot hold locks for long. */
export const CONNECTION_OPTIONS = {
  connectionTimeoutMillis: 5_000,
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
  query_timeout: 35_000,
  // Compiling a plan pays for statements that run for seconds; ours are many and short.
  options: '-c timezone=UTC -c jit=off',
  types: { getTypeParser: typeParser },
};

/**
 * A pool whose rows need no further conversion: instants come as RFC 3339 text, json stays text (parsing it would round
 * numbers), bigint stays text. Statements that are sent to one client without awaiting each go out at once, and are
 * answered in order.
 */
export function createPool(databaseUrl: string, applicationName: string): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: applicationName,
    max: 10,
    pipeline: true,
    ...CONNECTION_OPTIONS,
  });
  const logger = new Logger('Postgres');
  // A connection that breaks while it is checked out fails the query in hand, which is where it is dealt with; but
  // without a listener of its own it would end the process.
  pool.on('connect', (client) => client.on('error', (error) => logger.debug(`a connection broke: ${error.message}`)));
  // An idle one is replaced at the next use.
  pool.on('error', (error) => logger.warn(`an idle connection broke: ${error.message}`));
  return pool;
}

/** Somebody caught the error of a statement and went on, which PostgreSQL does not. */
class AbortedTransactionError extends Error {}

/**
 * Runs `work` in one transaction and returns its result. Rolls back when `work` throws, and when `commits` returns false
 * for its result.
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
    // PostgreSQL answers so, without an error, when a failed statement was swallowed: nothing was committed.
    if (command === 'ROLLBACK') throw new AbortedTransactionError('a statement of the transaction had failed');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.release(broken); // a connection that could not even roll back is closed, not reused
  }
}

/**
 * One statement in a transaction with settings of its own ('set local …'), in one round trip instead of four. Should
 * `begin` alone fail, by an operator who cancels it, the statement has been committed by itself although this throws:
 * only for what is harmless then.
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

/** Several reads over one connection: sent at once, they cost one round trip. */
export async function onOneConnection<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}
