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
  const named = url.protocol.startsWith('postgres') ? url.searchParams.get('host') : null;
  const host = named ?? decodeURIComponent(url.hostname);
  return host === '' || host.startsWith('/') || isLoopbackHost(host);
}

/** What makes the driver (pg) refuse a server without TLS. It takes `prefer` for `require`. */
const ENCRYPTED_MODES = ['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

function isEncryptedPostgres({ searchParams }: URL): boolean {
  const mode = searchParams.get('sslmode');
  if (mode !== null) return ENCRYPTED_MODES.includes(mode);
  return ['true', '1', 'no-verify'].includes(searchParams.get('ssl') ?? '');
}
