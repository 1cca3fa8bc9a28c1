/** How StreamForge authenticates itself at a destination. Stored sealed. */
export type DestinationAuth =
  | { type: 'bearer'; token: string }
  | { type: 'basic'; username: string; password: string }
  | { type: 'header'; name: string; value: string }
  | OAuth2;

/** Client credentials (RFC 6749, section 4.4). */
export interface OAuth2 {
  type: 'oauth2';
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  scope?: string;
}

export const AUTH_TYPES = ['bearer', 'basic', 'header', 'oauth2'] as const satisfies readonly DestinationAuth['type'][];
export type AuthType = (typeof AUTH_TYPES)[number];

/** The member of each kind that is a secret. */
export const SECRET_OF_AUTH = {
  bearer: 'token',
  basic: 'password',
  header: 'value',
  oauth2: 'clientSecret',
} as const satisfies Record<AuthType, string>;

/** Returns the header of a kind that needs no token. */
export function headerOfAuth(auth: Exclude<DestinationAuth, OAuth2>): Record<string, string> {
  if (auth.type === 'header') return { [auth.name.toLowerCase()]: auth.value };
  if (auth.type === 'bearer') return { authorization: `Bearer ${auth.token}` };
  return { authorization: basicAuthorization(auth.username, auth.password) };
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The header that a kind sets, in lower case. */
export const headerNameOf = (auth: DestinationAuth): string =>
  auth.type === 'header' ? auth.name.toLowerCase() : 'authorization';
