import { ExactValue } from './exact-json';

/**
 * RFC 8785 canonical JSON with one extension: a number that a double cannot hold keeps all its digits, because two
 * different amounts must never count as the same content. An object that repeats a name keeps all its members. (The npm package `canonicalize` gives the same text for all
 * other values, which a test checks, but it gets such numbers already rounded.)
 */

/** Counts the names that canonicalJson writes; see canonicalWithNames. A counter costs less than a second result. */
let namesWritten = 0;

/** A path of names into a JSON value. */
export type MemberPath = readonly string[];

/**
 * Returns the canonical text of a JSON value, the number of names in it, and the text without the members at some paths.
 * These are cut out of the whole text: writing the text of an event a second time costs as much as the first.
 */
export function canonicalWithNames(
  value: unknown,
  leftOut: readonly MemberPath[] = [],
): { text: string; names: number; lasting: string } {
  namesWritten = 0;
  const cuts: Cut[] = [];
  const text = leftOut.length === 0 ? canonicalJson(value) : textWithCuts(value, leftOut, 0, cuts);
  return { text, names: namesWritten, lasting: cuts.length === 0 ? text : without(text, cuts) };
}

/** Where a member and one comma beside it are in a text. */
interface Cut {
  start: number;
  end: number;
}

/** Collects the places of the members that are left out. @param offset of the value in the whole text */
function textWithCuts(value: unknown, leftOut: readonly MemberPath[], offset: number, cuts: Cut[]): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactValue) {
    return canonicalJson(value);
  }
  const object = value as Record<string, unknown>;
  const names = sorted(Object.keys(object));
  const isShort = names.length <= SHORT;
  namesWritten += names.length;
  let text = '{';
  let isFirst = true;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const start = offset + text.length;
    if (i) text += ',';
    text += memberName(name, isShort);
    const below = leftOut.some(([first]) => first === name) ? belowName(leftOut, name) : NO_PATHS;
    const isCut = below.some(({ length }) => length === 0);
    text +=
      below.length === 0 || isCut
        ? canonicalJson(object[name])
        : textWithCuts(object[name], below, offset + text.length, cuts);
    const end = offset + text.length;
    if (isCut)
      cuts.push({ start: isFirst && i ? start + 1 : start, end: isFirst && i < names.length - 1 ? end + 1 : end });
    else isFirst = false;
  }
  return text + '}';
}

const NO_PATHS: readonly MemberPath[] = [];

const belowName = (paths: readonly MemberPath[], name: string): MemberPath[] =>
  paths.filter(([first]) => first === name).map(([, ...rest]) => rest);

function without(text: string, cuts: readonly Cut[]): string {
  let rest = '';
  let from = 0;
  for (const { start, end } of cuts) {
    rest += text.slice(from, start);
    from = end;
  }
  return rest + text.slice(from);
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
    text += memberName(name, isShort);
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

/** A large object would only flush the cache. */
const memberName = (name: string, isShort: boolean): string => (isShort ? quotedName(name) : `${quoted(name)}:`);

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
