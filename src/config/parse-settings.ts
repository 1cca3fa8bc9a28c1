import { plaintextBackends } from './plaintext';
import type { ROLES } from './roles';
import { SETTINGS, type Settings } from './settings';
import { isWeakSecret } from './weak-secret';

/** Lists every problem of the configuration. */
export class SettingsError extends Error {
  constructor(readonly problems: string[]) {
    super(`Invalid configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/**
 * Parses the environment into settings. Empty text counts as unset.
 * @throws SettingsError with all problems at once: malformed values, risky combinations, and what production forbids.
 */
export function parseSettings(env: Record<string, string | undefined>): Settings {
  const problems: string[] = [];
  const malformed: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const given = env[name];
    const text = given === '' || given === undefined ? setting.default : given;
    if (text === undefined) continue;
    const parsed = setting.parse(text);
    if ('value' in parsed) values[name] = parsed.value;
    else {
      malformed.push(name);
      problems.push(`${name}: expected ${parsed.expected}, found ${shown(name, text)}`);
      const fallback = setting.default === undefined ? undefined : setting.parse(setting.default);
      if (fallback && 'value' in fallback) values[name] = fallback.value; // so that the checks below have a value
    }
  }
  if (followsHandlers(env)) values.DELIVERY_RETRY_SCHEDULE_SECONDS = scheduleOfHandlers(values as Settings);
  if (!env.SHUTDOWN_DRAIN_MS) values.SHUTDOWN_DRAIN_MS = drainWithin(values as Settings);
  const settings = values as Settings;
  const further = riskyCombinations(settings);
  if (settings.NODE_ENV === 'production') further.push(...forbiddenInProduction(settings, env));
  problems.push(...further.filter((problem) => !malformed.some((name) => problem.startsWith(`${name}:`))));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(settings);
}

/** Installations that have set their own retries before deliveries had a schedule keep them. */
const followsHandlers = (env: Record<string, string | undefined>): boolean =>
  !env.DELIVERY_RETRY_SCHEDULE_SECONDS && [env.MAX_RETRY_ATTEMPTS, env.RETRY_BACKOFF_MS].some(Boolean);

const scheduleOfHandlers = ({ MAX_RETRY_ATTEMPTS: attempts, RETRY_BACKOFF_MS: waits }: Settings): number[] =>
  Array.from({ length: attempts - 1 }, (_, i) => (waits[Math.min(i, waits.length - 1)] ?? 0) / 1_000);

/** An installation whose SHUTDOWN_GRACE_MS is short keeps the rest of it for the work in hand. */
const drainWithin = ({ SHUTDOWN_DRAIN_MS, SHUTDOWN_GRACE_MS }: Settings): number =>
  Math.min(SHUTDOWN_DRAIN_MS, Math.floor(SHUTDOWN_GRACE_MS / 5));

const MOST_WAITS = 100;
const EVENTS_IN_BUFFERS = 8;

function riskyCombinations(settings: Settings): string[] {
  const problems: string[] = [];
  const has = (role: (typeof ROLES)[number]) => settings.APP_ROLE.includes(role);
  if (settings.OUTBOX_INFLIGHT_LEASE_SECONDS * 1000 <= settings.PUBLISH_TIMEOUT_MS) {
    problems.push(
      'OUTBOX_INFLIGHT_LEASE_SECONDS: must be longer than PUBLISH_TIMEOUT_MS; otherwise another publisher takes over entries while the first still waits for their confirms',
    );
  }
  problems.push(...passwordFileInVain(settings));
  if (settings.RABBITMQ_URL === undefined && has('publisher') !== has('worker')) {
    problems.push(
      'RABBITMQ_URL: must be set when publisher and worker are separate processes; the in-process broker works only inside one process',
    );
  }
  if (settings.SHUTDOWN_DRAIN_MS * 2 > settings.SHUTDOWN_GRACE_MS) {
    problems.push(
      'SHUTDOWN_DRAIN_MS: must be at most half of SHUTDOWN_GRACE_MS; otherwise no time is left to finish the work in hand',
    );
  }
  if (settings.CORS_ALLOWED_ORIGINS.includes('*') && settings.CORS_ALLOWED_ORIGINS.length > 1) {
    problems.push('CORS_ALLOWED_ORIGINS: * must stand alone, because it allows every origin');
  }
  if (settings.INSTALLATION_KEY.length > 2)
    problems.push('INSTALLATION_KEY: must be one key, or two while it is rotated');
  if (settings.MAX_BUFFER_BYTES < EVENTS_IN_BUFFERS * settings.MAX_EVENT_BYTES) {
    problems.push(
      `MAX_BUFFER_BYTES: must be at least ${EVENTS_IN_BUFFERS} times MAX_EVENT_BYTES; otherwise only a few bodies can be received at a time`,
    );
  }
  problems.push(...partsOfOidc(settings));
  if (settings.RETRY_BACKOFF_MS.length === 0) problems.push('RETRY_BACKOFF_MS: must have at least one value');
  if (settings.DELIVERY_RETRY_SCHEDULE_SECONDS.length > MOST_WAITS) {
    problems.push(`DELIVERY_RETRY_SCHEDULE_SECONDS: must have at most ${MOST_WAITS} values`);
  }
  if (settings.WORKER_BATCH_SIZE > settings.RABBITMQ_PREFETCH) {
    problems.push('WORKER_BATCH_SIZE: must not exceed RABBITMQ_PREFETCH; otherwise a batch never fills');
  }
  for (const name of ['ADMIN_TOKEN', 'METRICS_TOKEN'] as const) {
    if (!/^[\x21-\x7e]*$/.test(settings[name] ?? '')) {
      problems.push(`${name}: must be visible ASCII without spaces, so that an HTTP header can carry it`);
    }
  }
  return problems;
}

function passwordFileInVain({ DATABASE_URL: url, DATABASE_PASSWORD_FILE: file }: Settings): string[] {
  if (file === undefined) return [];
  if (url === undefined)
    return ['DATABASE_PASSWORD_FILE: needs DATABASE_URL, because the embedded PostgreSQL has no password'];
  const { password, searchParams } = new URL(url);
  if (password === '' && !searchParams.has('password')) return [];
  return ['DATABASE_PASSWORD_FILE: DATABASE_URL has a password as well; remove it there'];
}

function partsOfOidc(settings: Settings): string[] {
  const { OIDC_ISSUER, OIDC_AUDIENCE, OIDC_ROLES, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET } = settings;
  if (OIDC_CLIENT_SECRET !== undefined && OIDC_CLIENT_ID === undefined) {
    return ['OIDC_CLIENT_SECRET: needs OIDC_CLIENT_ID'];
  }
  const parts = Object.entries({ OIDC_ISSUER, OIDC_AUDIENCE, OIDC_ROLES: OIDC_ROLES[0] });
  const missing = parts.filter(([, value]) => value === undefined);
  if (missing.length === parts.length) return OIDC_CLIENT_ID === undefined ? [] : ['OIDC_CLIENT_ID: needs OIDC_ISSUER'];
  return missing.map(([name]) => `${name}: must be set, because OIDC needs OIDC_ISSUER, OIDC_AUDIENCE and OIDC_ROLES`);
}

/** The password in docker-compose.yml, and tokens in examples. They are public. */
const LOCAL_PASSWORD = 'local-use-only';
const EXAMPLE_TOKEN = /change.?me|placeholder|example|your.?token|for-tests-only/i;

function forbiddenInProduction(settings: Settings, env: Record<string, string | undefined>): string[] {
  const problems: string[] = [];
  const api = settings.APP_ROLE.includes('api');
  const broker = settings.APP_ROLE.some((role) => role !== 'api');
  if (!env.APP_ROLE) problems.push('APP_ROLE: must be set in production (api, publisher, worker)');
  if (!settings.DATABASE_URL) problems.push('DATABASE_URL: must be set in production');
  if (!settings.REDIS_URL) problems.push('REDIS_URL: must be set in production');
  if (broker && !settings.RABBITMQ_URL) problems.push('RABBITMQ_URL: must be set in production for this role');
  if (api && settings.TENANT_AUTH === undefined) {
    problems.push(
      'TENANT_AUTH: must be set in production for this role: key (API keys), header (a proxy in front checks X-Tenant-Id), or both (while producers change over from header to key)',
    );
  }
  problems.push(...knownSecrets(settings, api));
  if ((api || settings.APP_ROLE.includes('worker')) && settings.DESTINATIONS_SECRET_KEY.length === 0) {
    problems.push('DESTINATIONS_SECRET_KEY: must be set in production for this role (openssl rand -base64 32)');
  }
  if (settings.CORS_ALLOWED_ORIGINS.includes('*')) {
    problems.push(
      'CORS_ALLOWED_ORIGINS: must name the origins in production; with *, any web page that somebody on your network opens could send events',
    );
  }
  if (settings.OIDC_ISSUER?.startsWith('http:')) {
    problems.push('OIDC_ISSUER: must start with https:// in production');
  }
  problems.push(
    ...weakSecrets(settings).map(
      (name) => `${name}: is too regular to be secret; generate one with: openssl rand -base64 32`,
    ),
  );
  if (!settings.ALLOW_PLAINTEXT_BACKENDS) {
    for (const { name, use } of plaintextBackends(settings)) {
      problems.push(
        `${name}: must be encrypted in production, because the server is on another host: ${use}, or set ALLOW_PLAINTEXT_BACKENDS=true if the network is private`,
      );
    }
  }
  if (settings.DESTINATIONS_ALLOW_PRIVATE) problems.push('DESTINATIONS_ALLOW_PRIVATE: must be false in production');
  return problems;
}

/** Returns the names of the secrets that are set and are no random text. */
export function weakSecrets(settings: Settings): string[] {
  const weak: string[] = (['ADMIN_TOKEN', 'METRICS_TOKEN'] as const).filter((name) => {
    const text = settings[name];
    return text !== undefined && isWeakSecret(text);
  });
  const weakKeys = (['DESTINATIONS_SECRET_KEY', 'INSTALLATION_KEY'] as const).filter((name) =>
    settings[name].some((key) => isWeakSecret(key.toString('latin1'))),
  );
  return [...weak, ...weakKeys];
}

/** Secrets that are missing, too short, or public. */
function knownSecrets(settings: Settings, api: boolean): string[] {
  const problems: string[] = [];
  if (settings.RABBITMQ_URL && ['', 'guest'].includes(new URL(settings.RABBITMQ_URL).username)) {
    problems.push('RABBITMQ_URL: must not use the guest account in production');
  }
  if (api && (settings.ADMIN_TOKEN?.length ?? 0) < 24) {
    problems.push('ADMIN_TOKEN: must be set in production, with 24 characters or more');
  }
  if (api && EXAMPLE_TOKEN.test(settings.ADMIN_TOKEN ?? '')) {
    problems.push('ADMIN_TOKEN: must not be a token from an example; generate one with: openssl rand -base64 32');
  }
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL'] as const) {
    const url = settings[name];
    if (url && new URL(url).password === LOCAL_PASSWORD) {
      problems.push(`${name}: must not have the password of docker-compose.yml, which is for local use only`);
    }
  }
  return problems;
}

/** Does not repeat values that may contain a password. */
function shown(name: string, text: string): string {
  return /URL|TOKEN|ENDPOINT|SECRET|ISSUER|_KEY$/.test(name) ? 'another value' : JSON.stringify(text);
}
