/**
 * `delivered`, `switched` and `ordered` have HTTP destinations. The operator disables and enables one of `switched`. Those of
 * `ordered` are in order per key.
 */
export const TENANTS = ['north', 'south', 'delivered', 'switched', 'ordered'] as const;
export type Tenant = (typeof TENANTS)[number];

/** The tenant of each client. */
export const CLIENT_TENANTS: readonly Tenant[] = [
  'north',
  'south',
  'delivered',
  'switched',
  'north',
  'ordered',
  'ordered',
];

export const DELIVERED_TENANTS: readonly Tenant[] = ['delivered', 'switched', 'ordered'];

/** Event names start with their tenant. */
export const tenantOf = (name: string): Tenant => name.split('-')[0] as Tenant;
