import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFlags, startServer, type ServerProcess } from '#bench/processes';

export const ADMIN_TOKEN = 'bench-token-of-this-run-only';

const TREE = fileURLToPath(new URL('../', import.meta.url));
const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));
/** Limits that are never reached, but not off, so that counting is part of the measurement. */
const SETTINGS = {
  LOG_LEVEL: 'warn',
  PORT: '0',
  HOST: '127.0.0.1',
  SHUTDOWN_DRAIN_MS: '0',
  TENANT_RATE_LIMIT_PER_MINUTE: '1000000000',
  MAX_STREAMS_PER_TENANT: '1000',
  MAX_STREAMS: '1000',
  MAX_BUFFER_BYTES: '2147483648',
  ADMIN_RATE_LIMIT_PER_MINUTE: '1000000',
};

type Env = Record<string, string>;

/** Starts the StreamForge in `directory` in a role on a free port, with the flags of its `npm start`. */
export function startRole(role: string, env: Env, directory = TREE): Promise<ServerProcess> {
  const main = join(directory, 'dist/src/main.js');
  return startServer([main], { ...SETTINGS, APP_ROLE: role, ...env }, startFlags(directory));
}

export function startAllInOne(env: Env): Promise<ServerProcess> {
  return startRole('all', { ADMIN_TOKEN, ...env });
}

/** Starts the api role in a mode of bench/server.ts. */
export function startApi(mode: string, env: Env): Promise<ServerProcess> {
  return startServer([SERVER, mode], { ...SETTINGS, APP_ROLE: 'api', ...env });
}
