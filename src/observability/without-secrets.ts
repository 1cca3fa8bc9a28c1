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

/** The text without what can be recognised as a secret: a net, not a promise. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement);
  return clean;
}
