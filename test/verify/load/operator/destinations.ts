import type { Tenant } from '../tenants';

export interface PlannedDestination {
  /** First segment of the path of its URL. */
  name: string;
  tenant: Tenant;
  eventTypes: string[];
  /** The operator disables and enables it during the run. */
  switched: boolean;
  /** A fault makes the name servers of its host fall silent. */
  silenced: boolean;
  /** Its deliveries are in order per key. */
  onPoison?: 'block' | 'skip';
}

const heard = { switched: false, silenced: false };
const silenced = { tenant: 'switched', switched: false, silenced: true } as const;

/** Those that are silenced have different hosts, so that each needs a look-up of its own. */
export const DESTINATIONS: readonly PlannedDestination[] = [
  { ...heard, name: 'all', tenant: 'delivered', eventTypes: ['*'] },
  { ...heard, name: 'in-order', tenant: 'ordered', eventTypes: ['*'], onPoison: 'skip' },
  { ...heard, name: 'strict-order', tenant: 'ordered', eventTypes: ['*'], onPoison: 'block' },
  { ...heard, name: 'orders', tenant: 'switched', eventTypes: ['order.*'] },
  { ...heard, name: 'on-and-off', tenant: 'switched', eventTypes: ['*'], switched: true },
  { ...silenced, name: 'far-orders', eventTypes: ['order.paid'] },
  { ...silenced, name: 'far-stock', eventTypes: ['stock.*'] },
  { ...silenced, name: 'far-users', eventTypes: ['user.*'] },
];

export const takes = ({ eventTypes }: PlannedDestination, type: string): boolean =>
  eventTypes.some((pattern) => (pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern));
