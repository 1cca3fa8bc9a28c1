const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Whether this is a token of the OIDC issuer. */
export const isJwt = (token: string): boolean => JWT.test(token);

/** Returns the header that carries an operator token, the ADMIN_TOKEN, or a token of the OIDC issuer. */
export const credentialHeaders = (token: string): Record<string, string> =>
  isJwt(token) ? { Authorization: `Bearer ${token}` } : { 'X-Admin-Token': token };
