import { Problem } from '../event/problems';
import { errorCode } from '../db/pg-errors';
import { explainRefusedSession, isRefusedSession } from '../db/session/session-error';

/** One sentence that says why the process cannot start and what to do. Unknown system errors keep their stack trace. */
export function explainStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isRefusedSession(error)) return explainRefusedSession(error);
  const code = errorCode(error);
  if (code === 'EADDRINUSE') {
    return `${error.message.replace(/^listen EADDRINUSE: /, '')}. Stop the other process, or set another PORT.`;
  }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return `DATABASE_URL: PostgreSQL cannot be reached (${code}). Start it, or unset DATABASE_URL to use the embedded one.`;
  }
  if (code === '28P01' || code === '28000') return 'DATABASE_URL: PostgreSQL rejects the user or password.';
  if (code === '42P01') return 'The database does not have the tables of this release. Run npm run migrate.';
  if (code === '42501') return `DATABASE_URL: ${error.message}. Grant the rights of docs/postgresql.md.`;
  if (error instanceof Problem) return error.detail;
  if (code === '3D000') return `DATABASE_URL: ${error.message}. Create it first.`;
  return code === undefined ? error.message : (error.stack ?? error.message);
}
