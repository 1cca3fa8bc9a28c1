import { fileURLToPath } from 'node:url';
import { startServer, type ServerProcess } from '#bench/processes';
import { SETTINGS } from '#bench/settings';

export const ADMIN_TOKEN = 'bench-token-of-this-run-only';

const MAIN = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));

/** StreamForge as `npm start` runs it, on a free port. */
export function startAllInOne(env: Record<string, string>): Promise<ServerProcess> {
  return startServer([MAIN], { ...SETTINGS, APP_ROLE: 'all', ADMIN_TOKEN, ...env });
}
