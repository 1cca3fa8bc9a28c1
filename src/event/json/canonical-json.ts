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
  const names = sorted(Object.keys(object));
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (i) text += ',';
    text += quotedName(name);
    text += canonicalJson(object[name]);
  }
  return text + '}';
}

/** Array.sort made a quarter of all garbage of a stream; for up to so many names an insertion sort is faster, too. */
const SHORT = 24;

function sorted(names: string[]): string[] {
  if (names.length > SHORT) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string;
    let at = i;
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string;
    names[at] = name;
  }
  return names;
}

/** The names of a producer's events are few and come again and again. Bounded for those that make new ones each time. */
const MAX_NAMES = 2_000;
const MAX_NAME_LENGTH = 64;
const quotedNames = new Map<string, string>();

/** The name with its quotes and colon. */
function quotedName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const made = `${quoted(name)}:`;
  if (quotedNames.size >= MAX_NAMES) quotedNames.clear();
  if (name.length <= MAX_NAME_LENGTH) quotedNames.set(name, made);
  return made;
}

// eslint-disable-next-line no-control-regex -- JSON escapes control characters
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** JSON.stringify of a string, which costs more than all the rest here; few strings need an escape. */
export function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}
