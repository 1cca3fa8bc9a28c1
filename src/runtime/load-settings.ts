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

/** Says which variables of the environment name a proxy that is not used; undefined if none does. */
export function proxyAdvice(
  { DESTINATIONS_PROXY_URL: used }: Pick<Settings, 'DESTINATIONS_PROXY_URL'>,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const names = [...PROXIES, ...PROXIES.map((name) => name.toLowerCase())].filter((name) => env[name]);
  if (used !== undefined || names.length === 0) return undefined;
  const subject = `${names.join(' and ')} ${names.length === 1 ? 'has' : 'have'}`;
  return `${subject} no effect: if only a proxy leads to the destinations, set DESTINATIONS_PROXY_URL.`;
}
