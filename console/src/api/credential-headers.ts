/** A token of the OIDC issuer is a JWT. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Returns the header that carries an operator token, the ADMIN_TOKEN, or a token of the OIDC issuer. */
export const credentialHeaders = (token: string): Record<string, string> =>
  JWT.test(token) ? { Authorization: `Bearer ${token}` } : { 'X-Admin-Token': token };
