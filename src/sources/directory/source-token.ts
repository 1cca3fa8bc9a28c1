import { hash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;
const FORM = /^[A-Za-z0-9_-]{43}$/;
const HINT_LENGTH = 4;

/** The unguessable part of a source's URL. Only its digest is stored. */
export interface MintedToken {
  text: string;
  digest: Buffer;
  /** The last characters, to tell URLs apart. */
  hint: string;
}

export function mintToken(): MintedToken {
  const text = randomBytes(TOKEN_BYTES).toString('base64url');
  return { text, digest: hash('sha256', text, 'buffer'), hint: text.slice(-HINT_LENGTH) };
}

/**
 * Returns the digest of a token in hex, or undefined for a text that is none. Tokens are looked up by digest, so the time
 * of a look-up tells nothing about a token.
 */
export function digestOfToken(text: string): string | undefined {
  return FORM.test(text) ? hash('sha256', text, 'hex') : undefined;
}

/** Returns a URL or path with the token of a source masked, for logs and traces. */
export function withoutToken(url: string): string {
  return url.replace(/\/(?:i|%69)(?:n|%6e)\/[^/?#]+/i, '/in/…');
}

/** At least so much of a token is masked where a text was cut in the middle of it. What is left could not be guessed. */
const TOKENS = /\/in\/[A-Za-z0-9_-]{20,43}/g;

/** Returns a text that may contain the URL of a source, such as one that was signed, without the token. */
export function withoutTokens(text: string): string {
  return text.replace(TOKENS, '/in/…');
}
