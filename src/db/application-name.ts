import type { Role } from '../config/roles';

/** What a build knows of that processes of earlier builds would do wrong. */
const KNOWS = '+revisions';

/** The name of a process in the list of sessions of PostgreSQL. */
export const applicationNameOf = (roles: readonly Role[]): string => `streamforge ${roles.join(',')} ${KNOWS}`;

/**
 * Whether a row of pg_stat_activity is a session of a process of an earlier build. Its commands do not matter. What
 * follows the name was added by DATABASE_URL or by a pooler.
 */
export const IS_OF_EARLIER_BUILD = `
  datname = current_database() and application_name ~ '^streamforge (api|publisher|worker)'
  and application_name not like '%${KNOWS}%'`;
