import * as ipaddr from 'ipaddr.js';

/** Azure's platform endpoint has a public address; all other metadata services are link-local, private or shared. */
const METADATA_IN_PUBLIC = new Set(['168.63.129.16']);
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether a destination may have this address: only what is public unicast. So refused are private, loopback,
 * link-local, shared (CGNAT), multicast, reserved and documentation networks, the unspecified address, and IPv6 forms
 * that carry an IPv4 address (mapped ones are judged by that address; 6to4, Teredo, NAT64 and the old compatible form
 * are refused altogether).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false; // also with a zone, which only local addresses have
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv6) return parsed.match(GLOBAL_UNICAST);
  return !METADATA_IN_PUBLIC.has(parsed.toString());
}

/** The address that a URL's host is, without brackets; undefined when the host is a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(host) ? host : undefined;
}
