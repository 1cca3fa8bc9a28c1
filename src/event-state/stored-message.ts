import { withoutSecrets } from '../observability/log-format';

const MAX_LENGTH = 1_000;

/**
 * Prepares a message for storage with attempts, states and dead letters. Truncates it, replaces characters that
 * PostgreSQL cannot store (U+0000, lone surrogates) and redacts text that looks like a secret. The redaction is no
 * guarantee: handlers must not put secrets in messages.
 */
export function storedMessage(text: string): string {
  return withoutSecrets(text.slice(0, MAX_LENGTH * 2))
    .slice(0, MAX_LENGTH)
    .replaceAll('\0', ' ')
    .toWellFormed();
}
