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

/** Kinds of private networks that an installation may allow. Loopback, link-local and the rest can never be allowed. */
const PRIVATE_RANGES = ['private', 'uniqueLocal', 'carrierGradeNat'];
/** Metadata services with an address in those ranges: AWS by IPv6, and Alibaba. */
const METADATA_IN_PRIVATE = new Set(['fd00:ec2::254', '100.100.100.200']);

/** Returns true for a private address inside one of the networks, unless it is that of a metadata service. */
export function isAllowedPrivateAddress(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (!PRIVATE_RANGES.includes(parsed.range()) || METADATA_IN_PRIVATE.has(parsed.toString())) return false;
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
}

/** Returns the host of a URL when it is an address, without brackets; undefined when it is a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(host) ? host : undefined;
}
