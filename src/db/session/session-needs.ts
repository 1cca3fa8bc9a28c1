import { SessionError } from './session-error';

/** Settings of a session by name in lower case, with values in the form in which PostgreSQL shows them. */
export type SessionSettings = ReadonlyMap<string, string>;

/** What a session was found to be. */
export interface SessionFacts {
  /** Process id of the server process that ran the statement. */
  pid: number;
  serverEncoding: string;
  searchPath: string;
  /** The schema in which tables are created and found first; null if search_path names none that can be used. */
  schema: string | null;
  /** Those that were asked for. */
  settings: Record<string, string | null>;
}

/** `set local … to default` would mean the default of the server. */
export const STATEMENT_TIMEOUT = '30s';

/**
 * What a session of StreamForge must be. Every connection is given these settings and then asked for them.
 *
 * - timezone, datestyle: instants are read as text (pool.ts)
 * - timeouts: PostgreSQL itself ends what a lost client would leave behind, so that it cannot hold locks. The
 *   reconciler relies on it that no transaction stays open for long.
 * - lock_timeout: statements that must not wait set their own
 * - jit: pays off for statements that run for seconds. Those of StreamForge are short and frequent.
 */
export const SESSION_NEEDS: SessionSettings = new Map([
  ['timezone', 'UTC'],
  ['datestyle', 'ISO, MDY'],
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
  ['default_transaction_isolation', 'read committed'],
  ['statement_timeout', STATEMENT_TIMEOUT],
  ['idle_in_transaction_session_timeout', '30s'],
  ['lock_timeout', '0'],
  ['jit', 'off'],
]);

/**
 * A migration takes the time that it needs. One that waits for a lock blocks all queries queued behind it, so it fails
 * and is run again (migrate.ts).
 */
export const MIGRATION_NEEDS: SessionSettings = new Map([
  ...SESSION_NEEDS,
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['lock_timeout', '1s'],
]);

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/**
 * Adds the settings of the user (`options` in DATABASE_URL) to those that are needed.
 * @throws SessionError if the user wants another value of a setting that is needed
 */
export function mergeSettings(needs: SessionSettings, ofUser: SessionSettings): SessionSettings {
  for (const [name, value] of ofUser) {
    const needed = SESSION_NEEDS.get(name);
    if (needed === undefined || same(needed, value)) continue;
    throw new SessionError(
      `DATABASE_URL: its options set ${name} to '${value}', but StreamForge needs '${needed}': remove that option.`,
    );
  }
  return new Map([...ofUser, ...needs]);
}

/** @throws SessionError if the session is not what is needed */
export function requireSession(facts: SessionFacts, needs: SessionSettings): void {
  if (facts.serverEncoding !== 'UTF8') {
    throw new SessionError(
      `DATABASE_URL: server_encoding of the database is ${facts.serverEncoding}, but StreamForge needs UTF8: create the database with that encoding.`,
    );
  }
  for (const name of SESSION_NEEDS.keys()) {
    const needed = needs.get(name) as string;
    const found = facts.settings[name] ?? '';
    if (same(found, needed)) continue;
    throw new SessionError(
      `DATABASE_URL: sessions have ${name} = '${found}', although StreamForge has set '${needed}': let the pooler or proxy in front of PostgreSQL pass settings on.`,
    );
  }
  if (facts.schema === null) {
    throw new SessionError(
      `DATABASE_URL: search_path is '${facts.searchPath}', which names no schema that exists and that the account may use: create the schema, or change search_path.`,
    );
  }
}
