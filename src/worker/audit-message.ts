const MAX_LENGTH = 1_000;

/** What looks like a secret: credentials in a URL, authorisation headers, and values that are named for what they are. */
const SECRETS: readonly [pattern: RegExp, replacement: string][] = [
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,400}@/gi, '$1***@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 ***'],
  [
    /\b(authorization|(?:x-)?api[-_]?key|access[-_]?token|token|password|passwd|pwd|secret|signature)(["']?\s*[:=]\s*["']?)(?!\*|bearer|basic)[^\s"',;&]{1,400}/gi,
    '$1$2***',
  ],
  [/\bwhsec_[\w+/=-]{4,}/g, 'whsec_***'],
];

/**
 * A message as the audit keeps it: bounded, storable (PostgreSQL holds neither U+0000 nor lone surrogates), and without
 * what can be recognised as a secret. That last part is a net, not a promise: handlers must not put secrets in messages.
 */
export function auditMessage(text: string): string {
  let message = text.slice(0, MAX_LENGTH * 2);
  for (const [pattern, replacement] of SECRETS) message = message.replace(pattern, replacement);
  return message.slice(0, MAX_LENGTH).replaceAll('\0', ' ').toWellFormed();
}
