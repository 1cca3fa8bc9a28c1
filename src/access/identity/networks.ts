import * as ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The longest text that is kept of something that is no address: it may come from a header. A connection that has ended has none. */
const MAX_TEXT = 64;

/**
 * Parses an address. Some proxies add the port of the client to X-Forwarded-For, as in `192.0.2.7:50123` and
 * `[2001:db8::9]:50123`. An IPv4-mapped IPv6 address becomes IPv4.
 */
function parseAddress(text: string): Address | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

/** Whether an address is in one of the networks, which are in CIDR notation. An IPv4-mapped address counts as IPv4. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  const parsed = parseAddress(address);
  if (!parsed) return false;
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
}

/** Whether a text is a network in CIDR notation. Not `10/8`, which the parser would read as 0.0.0.10/8. */
export function isNetwork(text: string): boolean {
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text);
}

/** Returns an address as people search for it: without a port, and IPv4-mapped IPv6 as IPv4. Other text is cut short. */
export function plainAddress(address: string): string {
  return parseAddress(address)?.toString() ?? String(address).slice(0, MAX_TEXT);
}

/** Returns the key that counts the requests of an address: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressKey(address: string): string {
  const parsed = parseAddress(address);
  if (!parsed) return String(address).slice(0, MAX_TEXT);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
