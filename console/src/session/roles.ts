const ROLES = ['viewer', 'support', 'operator', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** Whether `role` is at least `least`. The page hides what this denies; the server decides. */
export const isAtLeast = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);
