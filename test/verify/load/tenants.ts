/** `delivered` and `switched` have HTTP destinations; an operator switches one of `switched` off and on. */
export const TENANTS = ['north', 'south', 'delivered', 'switched'] as const;
export type Tenant = (typeof TENANTS)[number];

/** Which tenant each client sends for. */
export const CLIENT_TENANTS: readonly Tenant[] = ['north', 'south', 'delivered', 'switched', 'north', 'delivered'];

export const DELIVERED_TENANTS: readonly Tenant[] = ['delivered', 'switched'];

/** Every name begins with the tenant that it was sent for. */
export const tenantOf = (name: string): Tenant => name.split('-')[0] as Tenant;
