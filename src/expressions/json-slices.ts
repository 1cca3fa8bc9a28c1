/**
 * Finds values in JSON text, so that a value can be given back exactly as it was sent. One pass, no recursion. JSON.parse
 * must have accepted the text: the scan does not check the grammar.
 */

export interface Slice {
  start: number;
  end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** True for an array index as JSON Pointer writes it: without leading zeros. */
export function isIndex(name: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(name);
}

/**
 * Returns the slices of the elements of an array.
 * @param start position of its bracket
 * @param ends what bracketEnds returns for the text: then what is inside the elements is not read
 * @param most no more than so many are returned
 */
export function sliceItems(text: string, start = text.indexOf('['), ends?: Int32Array, most = Infinity): Slice[] {
  const slices: Slice[] = [];
  let at = afterSpace(text, start + 1);
  while (text.charCodeAt(at) !== CLOSE_ARRAY && slices.length < most) {
    const end = endOf(text, at, ends);
    slices.push({ start: at, end });
    at = afterSpace(text, end);
    if (text.charCodeAt(at) === COMMA) at = afterSpace(text, at + 1);
  }
  return slices;
}

/** A member of an object: its name, where the name starts, and the slice of its value. */
export interface MemberSlice extends Slice {
  name: string;
  nameStart: number;
}

/**
 * Returns all members of an object in their order, also those with equal names.
 * @param objectStart position of its bracket
 * @param ends as of sliceItems
 * @param most as of sliceItems
 */
export function memberSlices(
  text: string,
  objectStart = text.indexOf('{'),
  ends?: Int32Array,
  most = Infinity,
): MemberSlice[] {
  const slices: MemberSlice[] = [];
  let at = afterSpace(text, objectStart + 1);
  while (text.charCodeAt(at) !== CLOSE_OBJECT && slices.length < most) {
    const nameStart = at;
    const nameEnd = afterString(text, at);
    const name = nameOf(text, at, nameEnd);
    const start = afterSpace(text, afterSpace(text, nameEnd) + 1); // behind the colon
    const end = endOf(text, start, ends);
    slices.push({ name, nameStart, start, end });
    at = afterSpace(text, end);
    if (text.charCodeAt(at) === COMMA) at = afterSpace(text, at + 1);
  }
  return slices;
}

function endOf(text: string, start: number, ends?: Int32Array): number {
  const known = ends?.[start] ?? 0; // 0 for a scalar
  return known > 0 ? known : afterValue(text, start);
}

/** JSON.parse is slow for a text this short, and needed only for escapes. */
function nameOf(text: string, start: number, end: number): string {
  const name = text.slice(start + 1, end - 1);
  return name.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : name;
}

/** For the position of each opening bracket, the position behind the one that closes it; 0 for all other positions. */
export function bracketEnds(text: string): Int32Array {
  const ends = new Int32Array(text.length);
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = afterString(text, i) - 1;
    else if ((c | 0x20) === OPEN_OBJECT)
      open.push(i); // either bracket
    else if ((c | 0x20) === CLOSE_OBJECT) ends[open.pop() as number] = i + 1;
  }
  return ends;
}

/** Returns the slices of the values of an object, by name. Of members with equal names the last counts. */
export function sliceMembers(text: string): Map<string, Slice> {
  return new Map(memberSlices(text).map(({ name, start, end }) => [name, { start, end }]));
}

/**
 * Returns the slice of the value at a path of member names and array indices. Of members with equal names the last
 * counts, as in JSON.parse. The value must exist.
 */
export function sliceAt(text: string, path: readonly string[]): Slice {
  return sliceOfOnlyMember(text, path.at(-1)) ?? scanTo(text, path);
}

/**
 * Returns the value of the member if its name occurs only once in the text, which is three times as fast to find out as
 * to follow the path. Names may be written with escapes only where the text has a backslash.
 */
function sliceOfOnlyMember(text: string, name: string | undefined): Slice | undefined {
  if (name === undefined || isIndex(name) || text.includes('\\')) return undefined;
  const quoted = `"${name}"`;
  const at = text.indexOf(quoted);
  if (at < 0 || text.includes(quoted, at + 1)) return undefined;
  const colon = afterSpace(text, at + quoted.length);
  if (text[colon] !== ':') return undefined;
  const start = afterSpace(text, colon + 1);
  return { start, end: afterValue(text, start) };
}

function scanTo(text: string, path: readonly string[]): Slice {
  const start = afterSpace(text, 0);
  const indices = path.map(Number);
  /** For each array or object on the path that the scan is in: the index of the next element, or -1 for an object. */
  const inside: number[] = [];
  let found = { start, end: path.length > 0 ? start : afterValue(text, start) };
  let at = start;
  if (path.length > 0) at = enter(inside, text, at);
  // An object on the path is read to its end, because a name may occur again. What is not on the path is skipped.
  while (inside.length > 0) {
    at = afterSpace(text, at);
    const c = text.charCodeAt(at);
    if (c === COMMA) {
      at += 1;
      continue;
    }
    if (c === CLOSE_ARRAY || c === CLOSE_OBJECT) {
      inside.pop();
      at += 1;
      continue;
    }
    const level = inside.length - 1;
    const index = inside[level] as number;
    let isNext = index === indices[level];
    if (index >= 0) {
      inside[level] = index + 1;
    } else {
      const end = afterString(text, at);
      isNext = isName(text, at, end, path[level] as string);
      at = afterSpace(text, afterSpace(text, end) + 1); // the colon
    }
    if (isNext && level < path.length - 1 && isContainer(text, at)) {
      at = enter(inside, text, at);
    } else {
      const end = afterValue(text, at);
      if (isNext && level === path.length - 1) found = { start: at, end };
      at = end;
    }
  }
  return found;
}

/** Notes the array or object that begins here. Returns the position behind its bracket. */
function enter(inside: number[], text: string, at: number): number {
  inside.push(text.charCodeAt(at) === OPEN_ARRAY ? 0 : -1);
  return at + 1;
}

function isContainer(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c === OPEN_ARRAY || c === OPEN_OBJECT;
}

/** True when the string in quotes between `start` and `end` is the name. */
function isName(text: string, start: number, end: number, name: string): boolean {
  if (end - start - 2 === name.length && text.startsWith(name, start + 1) && !name.includes('\\')) return true;
  const quoted = text.slice(start, end);
  return quoted.includes('\\') && JSON.parse(quoted) === name;
}

function afterSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** Searches with indexOf, which makes the scan of a body twice as fast as a loop over its characters. */
function afterString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

/** True when the number of backslashes before a quote is odd. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

/** Returns the position behind the value that begins at `start`. */
function afterValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return afterString(text, start);
  if (first !== OPEN_ARRAY && first !== OPEN_OBJECT) return afterWord(text, start);
  let level = 1;
  let i = start + 1;
  for (; level > 0; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = afterString(text, i) - 1;
    else if ((c | 0x20) === OPEN_OBJECT)
      level += 1; // either bracket
    else if ((c | 0x20) === CLOSE_OBJECT) level -= 1;
  }
  return i;
}

/** Returns the position behind a number, true, false or null. */
function afterWord(text: string, start: number): number {
  let end = start;
  for (let c = text.charCodeAt(end); c > 0x20; c = text.charCodeAt(++end)) {
    if (c === COMMA || c === CLOSE_ARRAY || c === CLOSE_OBJECT) break;
  }
  return end;
}
