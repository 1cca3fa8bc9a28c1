import type { Options } from 'pino-http';

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

// eslint-disable-next-line no-control-regex -- these are what it is about
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Longer texts are cut: a line is read by people, and stored per line. */
const MOST_TEXT = 2_000;

/**
 * A text as it may stand in a line. JSON escapes line breaks by itself; the terminal's pretty form does not, and would
 * also obey escape sequences.
 */
export function lineSafe(text: string): string {
  return withoutSecrets(text.slice(0, MOST_TEXT)).replace(CONTROL_CHARACTERS, (character) =>
    JSON.stringify(character).length > 3
      ? JSON.stringify(character).slice(1, -1)
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * An error as it is logged: what it is, not what it carries. Errors of pg have the offending row in `detail` and the
 * offending JSON in `where`, which are somebody's data.
 */
export function loggedError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: lineSafe(String(error)) };
  const { name, message, stack = '' } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? {} : { cause: loggedError(error.cause) };
  return { type: name, message: lineSafe(message), ...code, stack: frames.join('\n'), ...cause };
}

/** One JSON object a line, without payloads and secrets whatever level is on. */
export function logFormat(level: string, role: string): Options {
  return {
    level,
    base: { role },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: loggedError },
    wrapSerializers: false, // pino-http would copy everything that an error carries, and give the serializer that
    // Nobody logs these; if somebody begins to, they do not get out.
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
    ...(process.stdout.isTTY
      ? { transport: { target: 'pino-pretty', options: { singleLine: true, ignore: 'role' } } }
      : {}),
  };
}

/** `msg` of a line that is given as one object. */
function withSafeText(argument: unknown): unknown {
  if (argument === null || typeof argument !== 'object' || argument instanceof Error) return argument;
  if (!('msg' in argument) || typeof argument.msg !== 'string') return argument;
  return { ...argument, msg: lineSafe(argument.msg) };
}
