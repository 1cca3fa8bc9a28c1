import { accessSync, constants } from 'node:fs';
import type { ClientBase, PoolConfig } from 'pg';
import { readDatabaseUrl } from '../../config/urls/database-url';
import { errorCode } from '../pg-errors';
import { prepareSession } from './prepare-session';
import { SessionError } from './session-error';
import { mergeSettings, type SessionSettings } from './session-needs';

/** pg-pool waits for the promise, which the types of pg do not say. */
export interface ConnectionConfig extends Omit<PoolConfig, 'onConnect'> {
  connectionString: string;
  application_name: string;
  onConnect: (client: ClientBase) => Promise<void>;
}

const CONNECT_WITHIN_MS = 5_000;
/** PostgreSQL cuts the name of an application here. */
const MOST_NAME_BYTES = 63;

/**
 * How to connect to DATABASE_URL so that every session is what is needed.
 *
 * The settings are no start-up parameters, because poolers refuse those, or drop them.
 * @throws SessionError
 */
export function connectionConfig(
  databaseUrl: string,
  applicationName: string,
  needs: SessionSettings,
): ConnectionConfig {
  const read = readDatabaseUrl(databaseUrl);
  if ('expected' in read) throw new SessionError(`DATABASE_URL: expected ${read.expected}.`);
  const { url, sessionSettings, applicationName: theirs, connectTimeoutMs, queryTimeoutMs } = read.value;
  requireFiles(url);
  const settings = mergeSettings(needs, sessionSettings);
  return {
    connectionString: url,
    application_name: theirs === undefined ? applicationName : cut(`${applicationName} ${theirs}`),
    connectionTimeoutMillis: connectTimeoutMs ?? CONNECT_WITHIN_MS,
    query_timeout: queryTimeoutMs,
    pipeline: true,
    onConnect: (client) => prepareSession(client, settings),
  };
}

/** pg would throw at each connection, with a code that means a socket that is not there yet. */
function requireFiles(url: string): void {
  for (const [name, file] of new URL(url).searchParams) {
    if (!['sslrootcert', 'sslcert', 'sslkey'].includes(name)) continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      throw new SessionError(`DATABASE_URL: the file of ${name} cannot be read (${errorCode(error) ?? 'no reason'}).`, {
        cause: error,
      });
    }
  }
}

/** Our own part is ASCII and shorter. */
const cut = (name: string): string =>
  Buffer.from(name)
    .subarray(0, MOST_NAME_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '');
