import type { ClientBase, QueryConfig } from 'pg';
import { errorCode } from '../pg-errors';
import { keepNoState } from './keep-no-state';
import { SessionError } from './session-error';
import { requireSession, type SessionSettings } from './session-needs';
import { prepareAndReadSession } from './session.queries';

/** A pooler lets a statement wait for a connection to PostgreSQL. */
const WITHIN_MS = 5_000;
/** The value of a setting is refused, the setting is unknown, fixed, or not for this account. */
const REFUSED_SETTING = /^(22023|42704|55P02|42501)$/;
/** PgBouncer with pool_mode=statement. */
const NO_TRANSACTIONS = 'transaction blocks not allowed';

/**
 * Makes a new connection ready: one statement that gives the session its settings and reads them back.
 *
 * Through a pooler, the server process that answers is not the one that the connection was told. From one transaction to
 * the next the session may then be another one (PgBouncer with pool_mode=transaction) or not (pool_mode=session). These
 * cannot be told apart for certain, so nothing is kept in it in either case.
 * @throws SessionError
 */
export async function prepareSession(client: ClientBase, settings: SessionSettings): Promise<void> {
  const { processID: pid = null } = client as ClientBase & { processID?: number | null };
  const facts = await orSentence(prepareAndReadSession(client, pid, settings, WITHIN_MS));
  if (facts.pid === pid) {
    requireSession(facts, settings);
    return;
  }
  await orSentence(requireTransactions(client));
  keepNoState(client, settings);
  requireSession(await orSentence(prepareAndReadSession(client, null, settings, WITHIN_MS)), settings);
}

/** Waits after `begin`: if more is on its way to a pooler that closes the connection, its reason can get lost. */
async function requireTransactions(client: ClientBase): Promise<void> {
  for (const text of ['begin', 'rollback']) {
    const statement: QueryConfig & { query_timeout: number } = { text, query_timeout: WITHIN_MS };
    await client.query(statement);
  }
}

async function orSentence<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (REFUSED_SETTING.test(errorCode(error) ?? '')) {
      throw new SessionError(`DATABASE_URL: PostgreSQL refuses a setting of its options: ${message}.`, {
        cause: error,
      });
    }
    if (message.includes(NO_TRANSACTIONS)) {
      throw new SessionError(
        'DATABASE_URL: the pooler in front of PostgreSQL allows no transactions (pool_mode=statement): set pool_mode to transaction or session.',
        { cause: error },
      );
    }
    throw error;
  }
}
