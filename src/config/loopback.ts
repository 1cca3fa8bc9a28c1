import * as ipaddr from 'ipaddr.js';

/** Whether a host name or an address is this machine: `localhost`, 127.0.0.0/8 or ::1, with or without brackets. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === 'localhost.') return true;
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback';
}
