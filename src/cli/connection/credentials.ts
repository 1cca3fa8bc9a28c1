/** The headers of an operator's token. ADMIN_TOKEN is known by its header only; others may go through a proxy. */
export function operatorHeaders(token: string): Record<string, string> {
  const isIssuers = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
  return isIssuers ? { authorization: `Bearer ${token}` } : { 'x-admin-token': token };
}

/** The headers with which a tenant's events are sent: its key, or its name alone. */
export function tenantHeaders(key: string | undefined, tenant: string | undefined): Record<string, string> {
  return {
    ...(key === undefined ? {} : { 'x-api-key': key }),
    ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
  };
}

/** API keys begin like this: a key that was given as the token sends events as well. */
export const isApiKey = (token: string | undefined): token is string => token?.startsWith('sfk_') === true;
