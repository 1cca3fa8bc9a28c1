const BYTES = 16;

/** Returns a new Idempotency-Key. crypto.randomUUID is missing on pages without TLS. */
export function onceKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
