const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** True for a well-formed tenant id. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text);
}
