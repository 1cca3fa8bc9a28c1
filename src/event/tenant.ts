const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The tenant of the events that StreamForge itself raises. Nobody else may send events as this tenant. */
export const RESERVED_TENANT = 'streamforge';

/** True for a well-formed tenant id. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text);
}
