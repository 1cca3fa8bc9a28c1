import * as fs from 'node:fs';

/** Code of the state ESTABLISHED in /proc/net/tcp. */
const ESTABLISHED = '01';

/** Local ports that are connected to a port of this machine and not closed on their side. */
export function portsConnectedTo(port: number): Set<number> {
  const lines = fs.readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const fields = lines.map((line) => line.trim().split(/\s+/));
  const open = fields.filter(([, , remote, state]) => state === ESTABLISHED && portOf(remote) === port);
  return new Set(open.map(([, local]) => portOf(local)));
}

/** @param address such as 0100007F:1F90 */
const portOf = (address = ''): number => Number.parseInt(address.split(':')[1] ?? '', 16);
