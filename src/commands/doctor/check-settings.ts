import { metricsAreClosed } from '../../config/exposure';
import { parseSettings, SettingsError, weakSecrets } from '../../config/parse-settings';
import { plaintextBackends } from '../../config/plaintext';
import { SETTINGS, type Settings } from '../../config/settings';
import { riskOfTenantAuth } from '../../config/tenant-auth';
import { proxyAdvice } from '../../runtime/load-settings';
import { advice, ok, problem, type Finding } from '../../db/condition/finding';

export type Env = Record<string, string | undefined>;

/** Reports invalid settings, and names in `.env` that are no settings. */
export function checkSettings(env: Env, namesInFile: readonly string[]): { settings: Settings; findings: Finding[] } {
  const unknown = namesInFile
    .filter((name) => !(name in SETTINGS) && !KNOWN_TO_COMPOSE.includes(name))
    .map((name) => advice('settings', `${name} in .env is not a setting: .env.example lists all settings.`));
  try {
    const settings = parseSettings(env);
    const proxy = proxyAdvice(settings, env);
    const found = [...unknown, ...(proxy === undefined ? [] : [advice('settings', proxy)]), ...risks(settings)];
    return { settings, findings: [ok('settings', `all are valid (NODE_ENV ${settings.NODE_ENV}).`), ...found] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const findings = error.problems.map((text) => problem('settings', `${text}.`));
    return { settings: usableOnly(env), findings: [...findings, ...unknown] };
  }
}

const KNOWN_TO_COMPOSE = ['API_PORT', 'POSTGRES_PASSWORD', 'RABBITMQ_PASSWORD', 'STREAMFORGE_IMAGE'];

/** Keeps the valid URLs, so that their dependencies can be checked although other settings are wrong. */
function usableOnly(env: Env): Settings {
  const urls = Object.entries(env).filter(
    ([name, text]) => ['DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL'].includes(name) && isUsable(name, text),
  );
  return parseSettings({ NODE_ENV: 'test', ...Object.fromEntries(urls) });
}

function isUsable(name: string, text: string | undefined): boolean {
  try {
    parseSettings({ [name]: text });
    return true;
  } catch {
    return false;
  }
}

/** What production refuses, or admits only because it was asked to. */
function unprotected(settings: Settings): Finding[] {
  const plaintext = plaintextBackends(settings).map(({ name, use }) =>
    advice('settings', `${name} names another host without TLS, so its network can read everything: ${use}.`),
  );
  const weak = weakSecrets(settings).map((name) =>
    advice('settings', `${name} is too regular to be secret: generate one with openssl rand -base64 32.`),
  );
  const withoutPassword = (['DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL'] as const)
    .filter((name) => settings[name] !== undefined && !hasPassword(settings[name]))
    .map((name) =>
      advice('settings', `${name} has no password, so whoever reaches the server may use it: give the account one.`),
    );
  return [...plaintext, ...weak, ...withoutPassword];
}

function hasPassword(text: string): boolean {
  const { password, searchParams } = new URL(text);
  return password !== '' || searchParams.has('password');
}

function risks(settings: Settings): Finding[] {
  const findings: Finding[] = [];
  if (settings.NODE_ENV !== 'production' && settings.HOST !== '127.0.0.1' && settings.HOST !== 'localhost') {
    findings.push(
      advice(
        'settings',
        `HOST is ${settings.HOST}, but NODE_ENV is ${settings.NODE_ENV}: set it to production if others can reach this address.`,
      ),
    );
  }
  const tenantRisk = settings.APP_ROLE.includes('api') ? riskOfTenantAuth(settings) : undefined;
  if (tenantRisk) findings.push(advice('settings', tenantRisk));
  if (metricsAreClosed(settings)) {
    findings.push(
      advice('settings', 'METRICS_TOKEN and OPS_PORT are unset, so /metrics is refused with 401: set one of them.'),
    );
  }
  return [...findings, ...unprotected(settings)];
}
