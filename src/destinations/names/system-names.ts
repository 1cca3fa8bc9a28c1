import type { LookupAddress } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { isNativeError } from 'node:util/types';

const HOSTS_FILE = '/etc/hosts';
const RESOLVER_FILE = '/etc/resolv.conf';
/** The files are read again when they are older than this, so that a change is heeded without a restart. In ms. */
const REREAD_MS = 5_000;

/** What /etc/hosts and /etc/resolv.conf say. The name servers in the latter are read by c-ares. */
export interface SystemNames {
  hosts: ReadonlyMap<string, LookupAddress[]>;
  /** Suffixes to try, such as those that Kubernetes gives to a pod. */
  search: readonly string[];
  /** A name with at least so many dots is tried as it is first. */
  ndots: number;
  /** The text of /etc/resolv.conf: another text may name other servers. */
  resolverText: string;
}

/** Reads the names that the system knows, and again after a few seconds. The files are small and local. */
export class SystemNamesReader {
  private names: SystemNames | undefined;
  private readAtMs = -Infinity;

  constructor(private readonly read: (file: string) => string = readIfThere) {}

  current(nowMs: number = performance.now()): SystemNames {
    if (this.names && nowMs - this.readAtMs < REREAD_MS) return this.names;
    this.readAtMs = nowMs;
    const resolverText = this.read(RESOLVER_FILE);
    return (this.names = { hosts: parseHosts(this.read(HOSTS_FILE)), ...parseResolver(resolverText), resolverText });
  }
}

/** A file that is missing says nothing; any other failure to read one would be found by c-ares too. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isNativeError(error) && 'code' in error) return '';
    throw error;
  }
}

const withoutComment = (line: string): string[] =>
  line
    .replace(/[#;].*$/, '')
    .trim()
    .split(/\s+/);

export function parseHosts(text: string): Map<string, LookupAddress[]> {
  const hosts = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = withoutComment(line);
    const family = isIP(address);
    if (family === 0 || address.includes('%')) continue; // a zone, which only link-local addresses have
    for (const name of names) {
      const key = name.toLowerCase();
      hosts.set(key, [...(hosts.get(key) ?? []), { address, family }]);
    }
  }
  return hosts;
}

const MAX_NDOTS = 15;

/** The last `search` or `domain` counts (resolv.conf(5)). */
export function parseResolver(text: string): Pick<SystemNames, 'search' | 'ndots'> {
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = withoutComment(line);
    if (keyword === 'search') search = values;
    else if (keyword === 'domain') search = values.slice(0, 1);
    else if (keyword === 'options') {
      for (const value of values) {
        const count = /^ndots:(\d+)$/.exec(value)?.[1];
        if (count !== undefined) ndots = Math.min(Number(count), MAX_NDOTS);
      }
    }
  }
  return { search: search.map((suffix) => suffix.replace(/\.$/, '')).filter(Boolean), ndots };
}

/** Returns the names to ask for, in order, as the resolver of the system does (resolv.conf(5)). */
export function candidatesOf(hostname: string, { search, ndots }: Pick<SystemNames, 'search' | 'ndots'>): string[] {
  if (hostname.endsWith('.')) return [hostname.slice(0, -1)];
  const withSuffix = search.map((suffix) => `${hostname}.${suffix}`);
  const dots = hostname.split('.').length - 1;
  return dots >= ndots ? [hostname, ...withSuffix] : [...withSuffix, hostname];
}
