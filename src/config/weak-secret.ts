/** A random token of 24 hexadecimal digits has about 80 bits by this estimate, one of 24 decimal digits about 70. */
const LEAST_BITS = 56;

/**
 * Whether a secret is too regular to be random: few different characters, a short text repeated, or a run such as
 * `abcdef…`. It recognizes bad secrets; it cannot recognize good ones. Bytes are passed as latin1 text.
 */
export function isWeakSecret(secret: string): boolean {
  return estimatedBits(secret) < LEAST_BITS || isRepetition(secret) || isRun(secret);
}

/** The entropy of the frequencies of its characters, in bits. Zero for a secret of one character. */
function estimatedBits(secret: string): number {
  const counts = new Map<string, number>();
  for (const character of secret) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count * Math.log2(count / secret.length);
  return bits;
}

/** Whether a secret is a shorter text, repeated. Each such text occurs in the secret written twice, before its end. */
const isRepetition = (secret: string): boolean => (secret + secret).indexOf(secret, 1) < secret.length;

/** Whether the code of each character differs from the one before it by the same step. */
function isRun(secret: string): boolean {
  const codes = [...secret].map((character) => character.charCodeAt(0));
  const step = (codes[1] ?? 0) - (codes[0] ?? 0);
  return codes.every((code, i) => i === 0 || code - (codes[i - 1] as number) === step);
}
