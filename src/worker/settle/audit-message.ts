import { withoutSecrets } from '../../observability/log-format';

const MAX_LENGTH = 1_000;

/**
 * A message as the audit keeps it: bounded, storable (PostgreSQL holds neither U+0000 nor lone surrogates), and without
 * what can be recognised as a secret. That last part is a net, not a promise: handlers must not put secrets in messages.
 */
export function auditMessage(text: string): string {
  return withoutSecrets(text.slice(0, MAX_LENGTH * 2))
    .slice(0, MAX_LENGTH)
    .replaceAll('\0', ' ')
    .toWellFormed();
}
