/** `delivered` and `switched` have HTTP destinations. The operator disables and enables one of `switched`. */
export const TENANTS = ['north', 'south', 'delivered', 'switched'] as const;
export type Tenant = (typeof TENANTS)[number];

/** The tenant of each client. */
export const CLIENT_TENANTS: readonly Tenant[] = ['north', 'south', 'delivered', 'switched', 'north', 'delivered'];

export const DELIVERED_TENANTS: readonly Tenant[] = ['delivered', 'switched'];

/** Event names start with their tenant. */
export const tenantOf = (name: string): Tenant => name.split('-')[0] as Tenant;
