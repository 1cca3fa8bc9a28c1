/**
 * The session is not what StreamForge needs, and only an operator can change that. The message is a sentence that names
 * the setting. A process that starts ends with it; one that runs answers that the storage is unavailable.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError';
}

/** PgBouncer says so about parameters other than those it knows (`ignore_startup_parameters`). */
const REFUSED_PARAMETER = 'unsupported startup parameter';

/** True if connecting again cannot help. */
export const isRefusedSession = (error: unknown): boolean =>
  error instanceof SessionError || (error instanceof Error && error.message.startsWith(REFUSED_PARAMETER));

/** The sentence for an operator. */
export function explainRefusedSession(error: Error): string {
  if (error instanceof SessionError) return error.message;
  return `PGOPTIONS: the pooler in front of PostgreSQL refuses it (${error.message}): unset it, and put the settings into options of DATABASE_URL.`;
}
