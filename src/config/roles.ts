/** The roles of a process. `all` runs them in one process. */
export const ROLES = ['api', 'publisher', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** Whether this process is the whole installation. */
export const isAllInOne = (roles: readonly Role[]): boolean => roles.length === ROLES.length;

/** Parses `api`, `publisher`, `worker`, a comma-separated list of them, or `all`. Undefined for anything else. */
export function parseRoles(text: string): Role[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  if (names.length === 1 && names[0] === 'all') return [...ROLES];
  const roles = ROLES.filter((role) => names.includes(role));
  return names.every((name) => ROLES.some((role) => role === name)) ? roles : undefined;
}
