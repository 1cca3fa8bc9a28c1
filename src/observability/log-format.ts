import type { Options } from 'pino-http';

/** Patterns of secrets: credentials in a URL, authorization headers, and values with a name such as `password`. */
const SECRETS: readonly [pattern: RegExp, replacement: string][] = [
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,400}@/gi, '$1***@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 ***'],
  [
    /\b(authorization|(?:x-)?api[-_]?key|access[-_]?token|token|password|passwd|pwd|secret|signature)(["']?\s*[:=]\s*["']?)(?!\*|bearer|basic)[^\s"',;&]{1,400}/gi,
    '$1$2***',
  ],
  [/\b(sf[ka]_[0-9A-Za-z]{12}_)[0-9A-Za-z]+/g, '$1***'], // API keys and operator tokens, but not their public ids
  [/\bwhsec_[\w+/=-]{4,}/g, 'whsec_***'],
];

/** Masks what looks like a secret. This is a safety net and does not recognise every secret. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement);
  return clean;
}

// eslint-disable-next-line no-control-regex -- the expression is there to find control characters
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Longest text in a log line, in characters. People have to read the line, and storage costs by size. */
const MOST_TEXT = 2_000;

/**
 * Makes a text safe for a log line. JSON escapes line breaks by itself. The pretty format for terminals does not, and a
 * terminal would also obey escape sequences.
 */
export function lineSafe(text: string): string {
  return withoutSecrets(text.slice(0, MOST_TEXT)).replace(CONTROL_CHARACTERS, (character) =>
    JSON.stringify(character).length > 3
      ? JSON.stringify(character).slice(1, -1)
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Returns what is logged of an error: type, message, code, stack and cause. Its other fields are left out: errors of pg
 * have the offending row in `detail` and the offending JSON in `where`, and both are customer data.
 */
export function loggedError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: lineSafe(String(error)) };
  const { name, message, stack = '' } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? {} : { cause: loggedError(error.cause) };
  return { type: name, message: lineSafe(message), ...code, stack: frames.join('\n'), ...cause };
}

/** The log format: one JSON object per line, without payloads and secrets at any level. */
export function logFormat(level: string, role: string): Options {
  return {
    level,
    base: { role },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: loggedError },
    wrapSerializers: false, // otherwise pino-http passes the serializer a copy of all fields of an error
    // No code logs these fields. If some code ever does, their values are masked.
    redact: {
      paths: ['headers', 'req', 'payload', 'body', 'token', 'password', 'secret'].flatMap((name) => [
        name,
        `*.${name}`,
      ]),
      censor: '***',
    },
    hooks: {
      logMethod(args, method) {
        const safe = args.map((argument) =>
          typeof argument === 'string' ? lineSafe(argument) : withSafeText(argument),
        );
        method.apply(this, safe as Parameters<typeof method>);
      },
    },
  };
}

/** Makes `msg` safe in a line that is passed as one object. */
function withSafeText(argument: unknown): unknown {
  if (argument === null || typeof argument !== 'object' || argument instanceof Error) return argument;
  if (!('msg' in argument) || typeof argument.msg !== 'string') return argument;
  return { ...argument, msg: lineSafe(argument.msg) };
}
