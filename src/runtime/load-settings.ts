import { existsSync } from 'node:fs';
import { parseSettings } from '../config/parse-settings';
import type { Settings } from '../config/settings';

/**
 * The settings of this process: `.env` in the working directory, then the environment, then `fixed`. Later ones win.
 * @throws SettingsError
 */
export function loadSettings(fixed: Partial<Record<keyof Settings, string>> = {}): Settings {
  if (existsSync('.env')) process.loadEnvFile('.env'); // does not override the environment
  return parseSettings({ ...process.env, ...fixed });
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** The variables of the environment that name a proxy, which StreamForge does not use. */
export const unusedProxies = (env: NodeJS.ProcessEnv = process.env): string[] =>
  [...PROXIES, ...PROXIES.map((name) => name.toLowerCase())].filter((name) => env[name]);
