import * as ipaddr from 'ipaddr.js';

/** Azure's platform endpoint has a public address. All other metadata services are link-local, private or shared. */
const METADATA_IN_PUBLIC = new Set(['168.63.129.16']);
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Returns true for public unicast addresses, the only ones that a destination may have. This refuses private, loopback,
 * link-local, shared (CGNAT), multicast, reserved and documentation networks, and the unspecified address. An
 * IPv4-mapped address is checked as the IPv4 address in it. Other IPv6 forms that carry an IPv4 address (6to4, Teredo,
 * NAT64 and the old compatible form) are refused.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false; // also refuses a zone, which only local addresses have
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv6) return parsed.match(GLOBAL_UNICAST);
  return !METADATA_IN_PUBLIC.has(parsed.toString());
}

/** Returns the host of a URL when it is an address, without brackets; undefined when it is a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(host) ? host : undefined;
}
