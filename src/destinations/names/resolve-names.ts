import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { NameCache } from './name-cache';
import { NameError, NameServers } from './name-servers';
import { candidatesOf, SystemNamesReader } from './system-names';

/** Resolves a name to all its addresses, in the order in which to try them. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** The value of DESTINATIONS_NAME_SERVERS that asks the system. */
export const BY_SYSTEM = 'system';

/** Asks the system (getaddrinfo), which has all sources of names, but only as many look-ups at a time as libuv's pool. */
export const resolveBySystem: Resolve = (hostname) => lookup(hostname, { all: true });

const LOOPBACK: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Returns a resolver that reads /etc/hosts, then asks name servers with the search list of /etc/resolv.conf, and remembers
 * what they answer for a few seconds.
 *
 * @param servers DESTINATIONS_NAME_SERVERS
 */
export function resolverOf(servers: readonly string[], system = new SystemNamesReader()): Resolve {
  if (servers[0] === BY_SYSTEM) return resolveBySystem;
  const cache = new NameCache();
  let asked: { servers: NameServers; resolverText: string } | undefined;
  return async (hostname) => {
    const names = system.current();
    const own = names.hosts.get(hostname.replace(/\.$/, ''));
    if (own) return own;
    if (/(?:^|\.)localhost\.?$/.test(hostname)) return LOOPBACK; // RFC 6761
    if (/(?:^|\.)invalid\.?$/.test(hostname)) throw new NameError('the name has no address', 'ENOTFOUND'); // likewise
    const known = cache.get(hostname);
    if (known) return known;
    if (asked?.resolverText !== names.resolverText) {
      asked = { servers: new NameServers(servers), resolverText: names.resolverText };
    }
    const found = await asked.servers.addressesOf(candidatesOf(hostname, names));
    const addresses = found.map(({ address, family }) => ({ address, family }));
    cache.set(hostname, addresses, Math.min(...found.map(({ ttlSeconds }) => ttlSeconds)));
    return addresses;
  };
}
