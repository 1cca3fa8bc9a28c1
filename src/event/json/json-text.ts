import { isUtf8 } from 'node:buffer';

/**
 * Reads JSON without losing information. JSON.parse rounds numbers and forgets how they were written, so the payload is
 * stored as the slice of text that the producer sent. The scan below finds that slice, and what must be known about it,
 * in one pass without recursion.
 */

/** Decodes UTF-8. Returns undefined for invalid bytes instead of replacing them. Drops a leading BOM. */
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
  /** Nesting levels of the deepest top-level member. A scalar has 0. */
  depth: number;
  /** Position of the value of each top-level member. The last of equal names wins, as in JSON.parse. */
  members: Map<string, { start: number; end: number }>;
  /** Number of members of the object and of all objects in it. More than JSON.parse keeps when names are repeated. */
  names: number;
  /** The first top-level name that occurs twice. */
  repeated: string | undefined;
  /** True when JSON.parse would change the value of a number, so that a comparison needs the source text. */
  inexactNumbers: boolean;
  /** True when a string contains an escape for U+0000 or a surrogate; see findUnsupportedCharacter. */
  suspectEscapes: boolean;
}

// Local constants: in CommonJS an imported constant is a property read, which made this scan 6 % slower.
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

/** Scans the text of a JSON object. JSON.parse must have accepted it: the scan does not check the grammar. */
export function scanJsonObject(text: string): JsonScan {
  return new ObjectScanner(text).scan();
}

class ObjectScanner {
  private readonly result: JsonScan = {
    depth: 0,
    members: new Map(),
    names: 0,
    repeated: undefined,
    inexactNumbers: false,
    suspectEscapes: false,
  };
  private level = 0;
  /** The top-level member being read, and where its value starts; -1 before the value. */
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
      else if (c === COLON) this.result.names += 1;
      else if (c === 0x2d || isDigit(c)) i = this.number(i);
    }
    return this.result;
  }

  /** Returns the position of the closing quote. */
  private string(start: number): number {
    const { text } = this;
    let i = start + 1;
    let hasEscape = false;
    for (let c = text.charCodeAt(i); c !== QUOTE; c = text.charCodeAt(++i)) {
      if (c !== BACKSLASH) continue;
      hasEscape = true;
      if (text.charCodeAt(++i) === 0x75 && isSuspectEscape(text, i + 1)) this.result.suspectEscapes = true;
    }
    if (this.level === 1 && this.name === undefined) {
      this.name = hasEscape ? (JSON.parse(text.slice(start, i + 1)) as string) : text.slice(start + 1, i);
    }
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

  /** Returns the position of the last digit. */
  private number(start: number): number {
    const { text, result } = this;
    let end = start + 1;
    let exponentAt = 0;
    for (let c = text.charCodeAt(end); isDigit(c) || isNumberSign(c); c = text.charCodeAt(++end)) {
      if ((c | 0x20) === 0x65) exponentAt = end;
    }
    const isShort = end - start <= SHORT_NUMBER && (exponentAt === 0 || end - exponentAt <= SHORT_EXPONENT);
    if (!isShort && !result.inexactNumbers) result.inexactNumbers = !isExactlyPrinted(text.slice(start, end));
    return end - 1;
  }
}

/** A double holds every number of 15 digits with an exponent of 2 digits. Most numbers need no other check. */
const SHORT_NUMBER = 15;
const SHORT_EXPONENT = 3;

/** True for what a number contains besides digits. */
function isNumberSign(c: number): boolean {
  return c === 0x2e || c === 0x2b || c === 0x2d || (c | 0x20) === 0x65;
}

/** True for \u0000 and for \ud800 to \udfff. `at` is the position of the first hex digit. */
function isSuspectEscape(text: string, at: number): boolean {
  const first = text.charCodeAt(at) | 0x20;
  if (first === 0x64) return /[89abcdef]/i.test(text.charAt(at + 1));
  return text.startsWith('0000', at);
}

function endWithoutSpace(text: string, end: number): number {
  while (text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return end;
}

/** True when the double nearest to `source` prints with the same value, so that parsing loses nothing. */
export function isExactlyPrinted(source: string): boolean {
  const printed = String(Number(source));
  return printed === source || decimalOf(printed) === decimalOf(source);
}

/** Longest exponent, in characters, that is computed with. BigInt took 100 ms for one of 200,000 digits. */
const MAX_EXPONENT_LENGTH = 1_000;
/** Exponents up to this length are computed as doubles, which is faster. */
const MAX_DOUBLE_EXPONENT_LENGTH = 10;

/**
 * Returns one text for all spellings of a decimal value, such as `1234e-2` for 12.34. Returns Infinity, and a number
 * with an exponent of more than 1,000 characters, unchanged.
 */
export function decimalOf(source: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source);
  if (!match) return source;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = withoutLeadingZeros(whole + fraction);
  if (digits === '') return '0';
  let length = digits.length; // a loop, because /0+$/ takes quadratic time on zeros inside the text
  while (digits.charCodeAt(length - 1) === 0x30) length -= 1;
  const shift = digits.length - length - fraction.length;
  const significant = digits.slice(0, length);
  if (exponent.length <= MAX_DOUBLE_EXPONENT_LENGTH) return `${sign}${significant}e${Number(exponent) + shift}`;
  if (exponent.length > MAX_EXPONENT_LENGTH) return source;
  return `${sign}${significant}e${BigInt(exponent) + BigInt(shift)}`;
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (digits.charCodeAt(start) === 0x30) start += 1;
  return digits.slice(start);
}

/** Returns the JSON Pointer (RFC 6901) of a member. */
export function childPointer(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
