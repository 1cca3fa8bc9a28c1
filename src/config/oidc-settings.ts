import { issuer, roleClaim } from './oidc-kinds';
import { anyText, listOf, optional, setting } from './setting-kinds';

/** Operators with tokens of an OIDC issuer, and how they sign in to the console. Part of SETTINGS. */
export const OIDC_SETTINGS = {
  OIDC_ISSUER: optional(
    issuer,
    'URL of the OIDC issuer whose tokens admit operators, as in the claim iss; unset: none; needs OIDC_AUDIENCE and OIDC_ROLES',
  ),
  OIDC_AUDIENCE: optional(anyText, 'audience that a token of the OIDC issuer must have, as in the claim aud'),
  OIDC_ROLES: setting(
    listOf(roleClaim),
    '',
    'claims that give an OIDC operator a role, such as groups:platform-owners=owner,groups:support=support; of several, the highest; a.b is the member b of the claim a',
  ),
  OIDC_CLIENT_ID: optional(
    anyText,
    'client of the OIDC issuer with which the console signs operators in; its redirect URI is /console/ at the address of the console; unset: operators enter a token',
  ),
  OIDC_CLIENT_SECRET: optional(anyText, 'secret of OIDC_CLIENT_ID, if the issuer has given it one'),
  OIDC_SCOPE: setting(
    anyText,
    'openid email profile',
    'scopes that the console asks the OIDC issuer for, separated by spaces; one of them may be needed for OIDC_AUDIENCE',
  ),
} as const;
