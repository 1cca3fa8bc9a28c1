import { decimalOf, isExactlyPrinted } from './json-text';

/**
 * RFC 8785 canonical JSON, with one extension outside that RFC's domain: a number that a double cannot hold exactly
 * keeps all its digits, since two different amounts must never count as the same content. (`canonicalize` from npm
 * agrees on everything else, which a test shows, but takes such numbers already rounded.)
 */

/** A number that survives only as text, in the normal form of decimalOf. */
class ExactNumber {
  constructor(readonly decimal: string) {}
}

/** Parses JSON so that canonicalJson can tell numbers apart that JSON.parse would round to the same double. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, exactReviver);
}

function exactReviver(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined || isExactlyPrinted(context.source)) return value;
  return new ExactNumber(decimalOf(context.source));
}

/** The canonical text of a JSON value of bounded depth. Names are sorted by UTF-16 code units, as the RFC asks. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof ExactNumber) return value.decimal;
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i++) text += (i ? ',' : '') + canonicalJson(value[i]);
    return `${text}]`;
  }
  const object = value as Record<string, unknown>;
  const names = Object.keys(object).sort();
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    text += `${i ? ',' : ''}${quoted(name)}:${canonicalJson(object[name])}`;
  }
  return `${text}}`;
}

// eslint-disable-next-line no-control-regex -- JSON escapes control characters
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** JSON.stringify of a string, which costs more than all the rest here; few strings need an escape. */
function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}
