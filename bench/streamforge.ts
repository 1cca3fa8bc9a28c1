import { fileURLToPath } from 'node:url';
import { startServer, type ServerProcess } from '#bench/processes';

export const ADMIN_TOKEN = 'bench-token-of-this-run-only';

const MAIN = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
const SERVER = fileURLToPath(new URL('server.ts', import.meta.url));
/** Limits that are never met, so that counting is part of what is measured. */
const SETTINGS = {
  LOG_LEVEL: 'warn',
  PORT: '0',
  HOST: '127.0.0.1',
  TENANT_RATE_LIMIT_PER_MINUTE: '1000000000',
  ADMIN_RATE_LIMIT_PER_MINUTE: '1000000',
};

type Env = Record<string, string>;

/** StreamForge in a role, as `npm start` runs it, on a free port. */
export function startRole(role: string, env: Env): Promise<ServerProcess> {
  return startServer([MAIN], { ...SETTINGS, APP_ROLE: role, ...env });
}

export function startAllInOne(env: Env): Promise<ServerProcess> {
  return startRole('all', { ADMIN_TOKEN, ...env });
}

/** The api role in a mode of bench/server.ts. */
export function startApi(mode: string, env: Env): Promise<ServerProcess> {
  return startServer([SERVER, mode], { ...SETTINGS, APP_ROLE: 'api', ...env });
}
