import { withoutSecrets } from '../observability/log-format';

const MAX_LENGTH = 1_000;

/**
 * A message as attempts, states and dead letters store it: bounded, storable (PostgreSQL takes neither U+0000 nor lone
 * surrogates), and without what looks like a secret. The last part catches mistakes and promises nothing: handlers must
 * not put secrets in messages.
 */
export function storedMessage(text: string): string {
  return withoutSecrets(text.slice(0, MAX_LENGTH * 2))
    .slice(0, MAX_LENGTH)
    .replaceAll('\0', ' ')
    .toWellFormed();
}
