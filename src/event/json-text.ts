import { isUtf8 } from 'node:buffer';

/**
 * Reading JSON without losing anything. JSON.parse rounds numbers and forgets how they were written, so the payload is
 * kept as the slice of text that the producer sent; this file finds that slice, and what must be known about it, in one
 * pass over the text without recursion.
 */

/** Decodes strictly: invalid UTF-8 gives undefined instead of replacement characters. A leading BOM is dropped. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', bom ? 3 : 0);
}

export interface JsonScan {
  /** Levels of nesting of the deepest value under a top-level member; a scalar member has 0. */
  depth: number;
  /** Where the value of each top-level member stands in the text. The last of equal names wins, as in JSON.parse. */
  members: Map<string, { start: number; end: number }>;
  /** The first top-level name that occurs twice. */
  repeated: string | undefined;
  /** Some number is not exactly what a double prints, so a comparison by value needs the source text. */
  inexactNumbers: boolean;
  /** Some string holds an escape that may stand for U+0000 or a surrogate; see findUnsupportedCharacter. */
  suspectEscapes: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Scans the text of a JSON object that JSON.parse has accepted (the scan itself does not check the grammar). */
export function scanJsonObject(text: string): JsonScan {
  const scan: JsonScan = {
    depth: 0,
    members: new Map(),
    repeated: undefined,
    inexactNumbers: false,
    suspectEscapes: false,
  };
  let level = 0;
  let name: string | undefined; // the top-level member whose value is being read
  let valueStart = -1;

  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c <= 0x20) continue;
    if (name !== undefined && valueStart < 0 && c !== 0x3a) valueStart = i;

    if (c === QUOTE) {
      const start = i;
      for (let d = text.charCodeAt(++i); d !== QUOTE; d = text.charCodeAt(++i)) {
        if (d !== BACKSLASH) continue;
        if (text.charCodeAt(++i) === 0x75 && isSuspectEscape(text, i + 1)) scan.suspectEscapes = true;
      }
      if (level === 1 && name === undefined) name = JSON.parse(text.slice(start, i + 1)) as string;
    } else if (c === 0x7b || c === 0x5b) {
      level += 1;
      if (level - 1 > scan.depth) scan.depth = level - 1;
    } else if (c === 0x7d || c === 0x5d || c === 0x2c) {
      if (level === 1 && name !== undefined) {
        if (scan.members.has(name)) scan.repeated ??= name;
        scan.members.set(name, { start: valueStart, end: trimEnd(text, i) });
        name = undefined;
        valueStart = -1;
      }
      if (c !== 0x2c) level -= 1;
    } else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      const end = numberEnd(text, i);
      if (!scan.inexactNumbers && !isExactNumber(text, i, end)) scan.inexactNumbers = true;
      i = end - 1;
    }
  }
  return scan;
}

/** \u0000, or \ud800 to \udfff. */
function isSuspectEscape(text: string, at: number): boolean {
  const first = text.charCodeAt(at) | 0x20;
  if (first === 0x64) return /[89abcdef]/i.test(text.charAt(at + 1));
  return text.startsWith('0000', at);
}

function trimEnd(text: string, end: number): number {
  while (text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return end;
}

function numberEnd(text: string, at: number): number {
  for (let i = at + 1; ; i++) {
    const c = text.charCodeAt(i);
    const part = (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x2b || c === 0x2d || (c | 0x20) === 0x65;
    if (!part) return i;
  }
}

function isExactNumber(text: string, start: number, end: number): boolean {
  const source = text.slice(start, end);
  if (source.length <= 15 && !/[.eE]/.test(source)) return true;
  return isExactlyPrinted(source);
}

/** True when the double nearest to `source` prints as a number of the same value, so that nothing is lost by it. */
export function isExactlyPrinted(source: string): boolean {
  const printed = String(Number(source));
  return printed === source || decimalOf(printed) === decimalOf(source);
}

/** One text per decimal value: significant digits and a power of ten, as in `1234e-2`. Infinity gives itself. */
export function decimalOf(source: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source);
  if (!match) return source;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

/**
 * JSON Pointer to the first string or name under `value` that holds U+0000 or a lone surrogate, which PostgreSQL and
 * every strict UTF-8 reader refuse; undefined when there is none. Iterative; `value` is at most 64 levels deep anyway.
 */
export function findUnsupportedCharacter(value: unknown, pointer: string): string | undefined {
  const open: [unknown, string][] = [[value, pointer]];
  for (let entry = open.pop(); entry; entry = open.pop()) {
    const [current, at] = entry;
    if (typeof current === 'string') {
      if (isUnsupported(current)) return at;
    } else if (current !== null && typeof current === 'object') {
      for (const [name, child] of Object.entries(current)) {
        if (isUnsupported(name)) return at;
        open.push([child, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`]);
      }
    }
  }
  return undefined;
}

function isUnsupported(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}
