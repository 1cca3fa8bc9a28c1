import { isLoopbackHost } from './loopback';
import type { Kind } from './setting-kinds';

/** Whether a URL of an OIDC issuer protects what is read from it: https:, or http: on this machine. */
export function isProtectedUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

/** The URL of an OIDC issuer, exactly as the issuer writes it: a slash at its end matters. */
export const issuer: Kind<string> = {
  parse: (text) => {
    const isIssuer = isProtectedUrl(text) && !/[?#@]/.test(text);
    if (isIssuer) return { value: text };
    return { expected: 'a URL that starts with https:// (http:// only on localhost), without query and account' };
  },
};

/** Gives a role to the tokens in which the claim is this value, or contains it. */
export interface RoleClaim {
  claim: string;
  value: string;
  role: 'viewer' | 'support' | 'operator' | 'owner';
}

/**
 * `<claim>:<value>=<role>`. The value begins after the last colon, because the name of a claim may be a URL, such as
 * `https://example.com/roles`.
 */
export const roleClaim: Kind<RoleClaim> = {
  parse: (text) => {
    const [, claim, value, role] = /^(.+):([^:=]+)=(viewer|support|operator|owner)$/.exec(text) ?? [];
    if (claim !== undefined && value !== undefined) return { value: { claim, value, role: role as RoleClaim['role'] } };
    return { expected: '<claim>:<value>=<role> with the role viewer, support, operator or owner' };
  },
};
