import { ExactValue } from './exact-json';

/**
 * RFC 8785 canonical JSON with one extension: a number that a double cannot hold keeps all its digits, because two
 * different amounts must never count as the same content. An object that repeats a name keeps all its members. (The npm package `canonicalize` gives the same text for all
 * other values, which a test checks, but it gets such numbers already rounded.)
 */

/** Counts the names that canonicalJson writes; see canonicalWithNames. A counter costs less than a second result. */
let namesWritten = 0;

/** Returns the canonical text of a JSON value and the number of names in it. */
export function canonicalWithNames(value: unknown): { text: string; names: number } {
  namesWritten = 0;
  const text = canonicalJson(value);
  return { text, names: namesWritten };
}

/**
 * Returns the canonical text of a JSON value. Names are sorted by UTF-16 code units, as RFC 8785 requires. Recursive:
 * callers must bound the depth of the value.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof ExactValue) return value.canonical(canonicalJson);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    let text = `[${canonicalJson(value[0])}`;
    for (let i = 1; i < value.length; i++) text += `,${canonicalJson(value[i])}`;
    return `${text}]`;
  }
  const object = value as Record<string, unknown>;
  const names = sorted(Object.keys(object));
  const isShort = names.length <= SHORT;
  namesWritten += names.length;
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (i) text += ',';
    text += isShort ? quotedName(name) : `${quoted(name)}:`; // a large object would only flush the cache
    text += canonicalJson(object[name]);
  }
  return text + '}';
}

/** Up to this many names, an insertion sort is faster than Array.sort, which made a quarter of a stream's garbage. */
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

/** Bounds of the cache below. Most producers repeat a few names; some generate new names for every event. */
const MAX_NAMES = 2_000;
const MAX_NAME_LENGTH = 64;
const quotedNames = new Map<string, string>();

/** Returns the name with its quotes and colon. */
export function quotedName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const made = `${quoted(name)}:`;
  if (quotedNames.size >= MAX_NAMES) quotedNames.clear();
  if (name.length <= MAX_NAME_LENGTH) quotedNames.set(name, made);
  return made;
}

// eslint-disable-next-line no-control-regex -- JSON escapes control characters
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Returns JSON.stringify(text), but calls it only if an escape is needed: it costs more than the rest of this file. */
export function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}
