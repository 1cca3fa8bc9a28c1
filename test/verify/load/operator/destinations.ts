import type { Tenant } from '../tenants';

export interface PlannedDestination {
  /** First segment of the path of its URL. */
  name: string;
  tenant: Tenant;
  eventTypes: string[];
  /** The operator disables and enables it during the run. */
  switched: boolean;
}

export const DESTINATIONS: readonly PlannedDestination[] = [
  { name: 'all', tenant: 'delivered', eventTypes: ['*'], switched: false },
  { name: 'orders', tenant: 'switched', eventTypes: ['order.*'], switched: false },
  { name: 'on-and-off', tenant: 'switched', eventTypes: ['*'], switched: true },
];

export const takes = ({ eventTypes }: PlannedDestination, type: string): boolean =>
  eventTypes.some((pattern) => (pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern));
