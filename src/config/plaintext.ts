import { isLoopbackHost } from './loopback';
import type { Settings } from './settings';

const BACKENDS = {
  DATABASE_URL: { isEncrypted: isEncryptedPostgres, use: 'add ?sslmode=verify-full to the URL' },
  REDIS_URL: { isEncrypted: (url: URL) => url.protocol === 'rediss:', use: 'use a rediss:// URL' },
  RABBITMQ_URL: { isEncrypted: (url: URL) => url.protocol === 'amqps:', use: 'use an amqps:// URL' },
} as const;

export type Backend = keyof typeof BACKENDS;

/**
 * Returns the backends on other machines to which the connection is not encrypted, and what to use instead. Whoever can
 * read that network reads payloads and passwords.
 */
export function plaintextBackends(settings: Pick<Settings, Backend>): { name: Backend; use: string }[] {
  return (Object.keys(BACKENDS) as Backend[]).flatMap((name) => {
    const text = settings[name];
    if (text === undefined) return [];
    const url = new URL(text);
    const { isEncrypted, use } = BACKENDS[name];
    return isLocal(url) || isEncrypted(url) ? [] : [{ name, use }];
  });
}

/** PostgreSQL may be named by the parameter `host`, which wins, also as the directory of a Unix socket. */
function isLocal(url: URL): boolean {
  const named = url.protocol.startsWith('postgres') ? url.searchParams.getAll('host').at(-1) : undefined;
  const host = named ?? decodeURIComponent(url.hostname);
  return host === '' || host.startsWith('/') || isLoopbackHost(host);
}

/** Each makes the driver use TLS, unless `sslmode` is `disable`. */
const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/**
 * As the driver (pg) decides, which differs from libpq: with TLS, it refuses a server that has none, also for `allow` and
 * `prefer`. Of a parameter that is repeated, the last one counts. PGSSLMODE is not looked at.
 */
function isEncryptedPostgres({ searchParams }: URL): boolean {
  const last = (name: string): string => searchParams.getAll(name).at(-1) ?? '';
  if (last('sslmode') === 'disable') return false;
  if (TLS_PARAMETERS.some((name) => last(name) !== '')) return true;
  if (searchParams.has('ssl')) return ['true', '1', 'no-verify'].includes(last('ssl'));
  return last('sslnegotiation') === 'direct';
}
