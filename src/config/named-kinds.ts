import { isTenantId } from '../event/tenant';
import { parseRoles, type Role } from './roles';
import { listOf, nameServer, type Kind } from './setting-kinds';

export const roles: Kind<Role[]> = {
  parse: (text) => {
    const value = parseRoles(text);
    return value ? { value } : { expected: 'api, publisher, worker, a comma-separated list of them, or all' };
  },
};
export const tenant: Kind<string> = {
  parse: (text) => (isTenantId(text) ? { value: text } : { expected: 'a tenant id' }),
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
