import type { RoleClaim } from '../../config/oidc-kinds';
import type { OperatorCaller } from '../identity/caller';
import { OPERATOR_ROLES, type OperatorRole } from '../identity/operator-roles';

/** The claims of a token whose signature, issuer, audience and times are right. */
export type Claims = Readonly<Record<string, unknown>>;

/** Begins the name of every OIDC operator. No operator with a token of ours may have such a name. */
export const OIDC_PREFIX = 'oidc:';

const MAX_NAME_LENGTH = 200;

/** Returns the operator whom the claims name, or undefined if they give no role or no usable `sub`. */
export function operatorFrom(claims: Claims, mapping: readonly RoleClaim[]): OperatorCaller | undefined {
  const id = plainText(claims.sub);
  const role = roleFrom(claims, mapping);
  if (id === undefined || role === undefined) return undefined;
  return { kind: 'operator', id, name: OIDC_PREFIX + nameFrom(claims, id), role, tenantIds: null };
}

/** Returns the highest role that the claims give. */
export function roleFrom(claims: Claims, mapping: readonly RoleClaim[]): OperatorRole | undefined {
  const given = mapping.filter(({ claim, value }) => valuesOf(claims, claim).includes(value)).map(({ role }) => role);
  return OPERATOR_ROLES.findLast((role) => given.includes(role));
}

/**
 * An address that the issuer has not verified is no name, because its holder may have chosen it. The holder may then
 * have chosen the address of somebody else as user name, too.
 */
function nameFrom(claims: Claims, sub: string): string {
  const username = plainText(claims.preferred_username);
  if (claims.email_verified === false) return username?.includes('@') ? sub : (username ?? sub);
  return plainText(claims.email) ?? username ?? sub;
}

/** Returns the strings of a claim. A name that is no claim is a path: `realm_access.roles`. */
function valuesOf(claims: Claims, name: string): string[] {
  const value = member(claims, name) ?? name.split('.').reduce<unknown>(member, claims);
  return [value].flat().filter((item) => typeof item === 'string');
}

function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null && Object.hasOwn(of, name)
    ? (of as Record<string, unknown>)[name]
    : undefined;
}

/** A text that the audit trail can store and a log line can show. */
function plainText(value: unknown): string | undefined {
  const isPlain = typeof value === 'string' && value.length <= MAX_NAME_LENGTH && /^[^\p{C}]+$/u.test(value);
  return isPlain ? value : undefined;
}
