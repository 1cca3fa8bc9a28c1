/** What a process does. One image runs them apart, `all` runs them in one process. */
export const ROLES = ['api', 'publisher', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** The whole installation in one process. */
export const isAllInOne = (roles: readonly Role[]): boolean => roles.length === ROLES.length;

/** `api`, `publisher`, `worker`, a comma list of them, or `all`. Undefined for anything else. */
export function parseRoles(text: string): Role[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  if (names.length === 1 && names[0] === 'all') return [...ROLES];
  const roles = ROLES.filter((role) => names.includes(role));
  return names.every((name) => ROLES.some((role) => role === name)) ? roles : undefined;
}
