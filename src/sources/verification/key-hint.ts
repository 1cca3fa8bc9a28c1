import type { Scheme } from './verification';

/** A secret shorter than this could be guessed from its last characters. */
const SHORTEST_WITH_HINT = 16;

/** The hint of a secret of this scheme. Of `user:password` only the password counts: the user name is no secret. */
export function hintOfSecret(secret: string, scheme: Scheme): string | undefined {
  return keyHint(scheme === 'basic' ? secret.slice(secret.indexOf(':') + 1) : secret);
}

/** Returns what may be shown of a secret, so that an operator can tell two of them apart. */
export function keyHint(secret: string): string | undefined {
  const text = secret.trim();
  return text.length < SHORTEST_WITH_HINT || text.includes('-----') ? undefined : `…${text.slice(-4)}`;
}
