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

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
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

// Local constants: imported ones are property reads in CommonJS, which made this scan 6 % slower.
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

/** Scans the text of a JSON object that JSON.parse has accepted (the scan itself does not check the grammar). */
export function scanJsonObject(text: string): JsonScan {
  return new ObjectScanner(text).scan();
}

class ObjectScanner {
  private readonly result: JsonScan = {
    depth: 0,
    members: new Map(),
    repeated: undefined,
    inexactNumbers: false,
    suspectEscapes: false,
  };
  private level = 0;
  /** The top-level member whose value is being read, and where that value starts. */
  private name: string | undefined;
  private valueStart = -1;

  constructor(private readonly text: string) {}

  scan(): JsonScan {
    for (let i = 0; i < this.text.length; i++) {
      const c = this.text.charCodeAt(i);
      if (c <= 0x20) continue;
      if (this.name !== undefined && this.valueStart < 0 && c !== COLON) this.valueStart = i;
      if (c === QUOTE) i = this.string(i);
      else if (c === 0x7b || c === 0x5b) this.open();
      else if (c === 0x7d || c === 0x5d || c === COMMA) this.endOfValue(c, i);
      else if (c === 0x2d || isDigit(c)) i = this.number(i);
    }
    return this.result;
  }

  /** Returns where the closing quote stands. */
  private string(start: number): number {
    const { text } = this;
    let i = start + 1;
    for (let c = text.charCodeAt(i); c !== QUOTE; c = text.charCodeAt(++i)) {
      if (c !== BACKSLASH) continue;
      if (text.charCodeAt(++i) === 0x75 && isSuspectEscape(text, i + 1)) this.result.suspectEscapes = true;
    }
    if (this.level === 1 && this.name === undefined) this.name = JSON.parse(text.slice(start, i + 1)) as string;
    return i;
  }

  private open(): void {
    this.level += 1;
    if (this.level - 1 > this.result.depth) this.result.depth = this.level - 1;
  }

  private endOfValue(c: number, at: number): void {
    if (this.level === 1 && this.name !== undefined) {
      const { members } = this.result;
      if (members.has(this.name)) this.result.repeated ??= this.name;
      members.set(this.name, { start: this.valueStart, end: endWithoutSpace(this.text, at) });
      this.name = undefined;
      this.valueStart = -1;
    }
    if (c !== COMMA) this.level -= 1;
  }

  /** Returns where its last character stands. */
  private number(start: number): number {
    const end = numberEnd(this.text, start);
    if (!this.result.inexactNumbers && !isExactNumber(this.text, start, end)) this.result.inexactNumbers = true;
    return end - 1;
  }
}

/** \u0000, or \ud800 to \udfff. */
function isSuspectEscape(text: string, at: number): boolean {
  const first = text.charCodeAt(at) | 0x20;
  if (first === 0x64) return /[89abcdef]/i.test(text.charAt(at + 1));
  return text.startsWith('0000', at);
}

function endWithoutSpace(text: string, end: number): number {
  while (text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return end;
}

function numberEnd(text: string, at: number): number {
  for (let i = at + 1; ; i++) {
    const c = text.charCodeAt(i);
    const part = isDigit(c) || c === 0x2e || c === 0x2b || c === 0x2d || (c | 0x20) === 0x65;
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
  if (digits === '') return '0';
  let length = digits.length; // a loop: /0+$/ takes quadratic time on zeros that do not end the text
  while (digits.charCodeAt(length - 1) === 0x30) length -= 1;
  const significant = digits.slice(0, length);
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
      for (const [name, child] of Object.entries(current).reverse()) {
        if (isUnsupported(name)) return at;
        open.push([child, childPointer(at, name)]);
      }
    }
  }
  return undefined;
}

/** The JSON Pointer (RFC 6901) of a member. */
export function childPointer(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function isUnsupported(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}
