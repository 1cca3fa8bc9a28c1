/**
 * Roles of operators, each including those before it. `viewer` sees lists without payloads; `support` sees payloads,
 * retries and discards; `operator` replays and manages destinations; `owner` manages tenants, keys and operators.
 */
export const OPERATOR_ROLES = ['viewer', 'support', 'operator', 'owner'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

export function includesRole(role: OperatorRole, least: OperatorRole): boolean {
  return OPERATOR_ROLES.indexOf(role) >= OPERATOR_ROLES.indexOf(least);
}
