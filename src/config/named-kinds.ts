import { isTenantId } from '../event/tenant';
import { parseRoles, type Role } from './roles';
import { listOf, nameServer, url, type Kind } from './setting-kinds';

export const roles: Kind<Role[]> = {
  parse: (text) => {
    const value = parseRoles(text);
    return value ? { value } : { expected: 'api, publisher, worker, a comma-separated list of them, or all' };
  },
};
export const tenant: Kind<string> = {
  parse: (text) => (isTenantId(text) ? { value: text } : { expected: 'a tenant id' }),
};

/** Part of the names of queues and exchanges. */
export const namespace: Kind<string> = {
  parse: (text) =>
    /^[A-Za-z0-9_-]{0,64}$/.test(text) ? { value: text } : { expected: 'up to 64 letters, digits, - and _' },
};

export const nameServers: Kind<string[]> = {
  parse: (text) => {
    if (text === 'system') return { value: [text] };
    const parsed = listOf(nameServer).parse(text);
    return 'expected' in parsed ? { expected: `system, or ${parsed.expected}` } : parsed;
  },
};

export const origin: Kind<string> = {
  parse: (text) => {
    const isOrigin = /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
    if (isOrigin || text === '*') return { value: text };
    return { expected: 'an origin such as https://app.example.com, without a path, or *' };
  },
};

/** A name or an address as it is in a Host header, without a port. In lower case. */
export const hostName: Kind<string> = {
  parse: (text) => {
    const url = /^[^\s/?#@\\,*]+$/.test(text) && URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
    const isName = url !== undefined && !/:\d*$/.test(text.replace(/^\[.*\]/, ''));
    return isName ? { value: url.hostname } : { expected: 'a host name such as events.example.com, without a port' };
  },
};

interface UrlParts {
  protocols: string[];
  /** The options that have an effect, after the `?`. */
  options: string[];
  path: { pattern: RegExp; expected: string };
}

/** A URL of a server. What would have no effect is refused by its name, because somebody relies on it. */
function serverUrl({ protocols, options, path }: UrlParts): Kind<string> {
  const ofProtocol = url(...protocols);
  return {
    parse: (text) => {
      const parsed = ofProtocol.parse(text);
      if ('expected' in parsed) return parsed;
      const { searchParams, pathname, hash, username, password } = new URL(text);
      const unknown = [...searchParams.keys()].find((name) => !options.includes(name));
      if (unknown !== undefined) {
        return {
          expected: `no option ${unknown}, which has no effect (those that have one: ${options.join(', ') || 'none'})`,
        };
      }
      if (hash !== '') return { expected: 'no #; in a password it is written as %23' };
      if (!path.pattern.test(pathname)) return { expected: path.expected };
      return isDecodable(username) && isDecodable(password)
        ? parsed
        : { expected: 'a user and a password that are percent-encoded UTF-8' };
    },
  };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false; // the only error is that of a malformed sequence
  }
}

export const redisUrl = serverUrl({
  protocols: ['redis:', 'rediss:'],
  options: ['db', 'family'],
  path: { pattern: /^\/?\d*$/, expected: 'the number of a database as the path, such as redis://host/1' },
});

export const rabbitUrl = serverUrl({
  protocols: ['amqp:', 'amqps:'],
  options: ['heartbeat', 'channelMax', 'frameMax', 'locale'],
  path: { pattern: /^(\/[^/]*)?$/, expected: 'one virtual host as the path; a / in its name is written as %2F' },
});

export const proxyUrl = serverUrl({
  protocols: ['http:', 'https:'],
  options: [],
  path: { pattern: /^\/?$/, expected: 'no path, as in http://user:password@proxy:3128' },
});
