import { decimalOf } from './json-text';
import { escapesName } from './parse-json';

/**
 * Values that JSON.parse cannot hold: it rounds long numbers, and of members with equal names it keeps only the last.
 */
export abstract class ExactValue {
  /** Returns the canonical text of this value. `canonical` gives that of a value inside it. */
  abstract canonical(canonical: (value: unknown) => string): string;
}

/** A number that a double cannot hold, as text in the normal form of decimalOf. */
export class ExactNumber extends ExactValue {
  constructor(readonly decimal: string) {
    super();
  }

  canonical(): string {
    return this.decimal;
  }
}

/**
 * An object in which a name occurs more than once. Its canonical text repeats the name, so it equals no other object's.
 * Members with equal names stay in the order in which they were sent.
 */
export class RepeatingObject extends ExactValue {
  constructor(readonly members: readonly (readonly [name: string, value: unknown])[]) {
    super();
  }

  canonical(canonical: (value: unknown) => string): string {
    const byName = new Map<string, string>();
    let quotedName = '';
    let lastName: string | undefined;
    for (const [name, value] of this.members) {
      if (name !== lastName) quotedName = canonical(name);
      lastName = name;
      const before = byName.get(name);
      const member = `${quotedName}:${canonical(value)}`;
      byName.set(name, before === undefined ? member : `${before},${member}`);
    }
    const names = [...byName.keys()].sort();
    return `{${names.map((name) => byName.get(name)).join(',')}}`;
  }
}

/**
 * Parses JSON for canonicalJson and keeps numbers apart that JSON.parse would round to the same double. Recursive for a
 * text that escapes a name (parse-json.js), which JSON.parse must have accepted: callers must bound its depth.
 */
export function parseExact(text: string): unknown {
  return escapesName(text) ? parseRepeating(text) : JSON.parse(text, exactReviver);
}

function exactReviver(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  return context?.source === undefined || typeof value !== 'number' ? value : exactNumber(value, context.source);
}

/** Returns the double when it prints with the value of `source`; otherwise the number as text. */
function exactNumber(value: number, source: string): unknown {
  const printed = String(value);
  if (printed === source) return value;
  const decimal = decimalOf(source);
  return decimalOf(printed) === decimal ? value : new ExactNumber(decimal);
}

/**
 * Parses JSON like parseExact and also keeps members with equal names. Slower than JSON.parse, so use it only for a text
 * that repeats a name. JSON.parse must have accepted the text. Recursive: callers must bound its depth.
 */
export function parseRepeating(text: string): unknown {
  return new RepeatingParser(text).value();
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

class RepeatingParser {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): unknown {
    const c = this.peek();
    if (c === 0x7b) return this.object();
    if (c === 0x5b) return this.array();
    return c === QUOTE ? this.string() : this.word();
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    while (this.hasNext(CLOSE_ARRAY)) items.push(this.value());
    return items;
  }

  private object(): unknown {
    const members: [string, unknown][] = [];
    const names = new Set<string>();
    while (this.hasNext(CLOSE_OBJECT)) {
      const name = this.string();
      this.peek();
      this.at += 1; // the colon
      members.push([name, this.value()]);
      names.add(name);
    }
    return names.size < members.length ? new RepeatingObject(members) : Object.fromEntries(members);
  }

  /** Reads a number, true, false or null. */
  private word(): unknown {
    const { text } = this;
    const start = this.at;
    while (this.at < text.length && !endsWord(text.charCodeAt(this.at))) this.at += 1;
    const source = text.slice(start, this.at);
    if (source === 'null') return null;
    if (source === 'true' || source === 'false') return source === 'true';
    return exactNumber(Number(source), source);
  }

  /** Finds the end by a loop: a pattern of this kind runs out of stack on a long text. */
  private string(): string {
    const { text } = this;
    const start = this.at;
    let end = start + 1;
    let hasEscape = false;
    for (let c = text.charCodeAt(end); c !== QUOTE; c = text.charCodeAt(++end)) {
      if (c !== BACKSLASH) continue;
      hasEscape = true;
      end += 1;
    }
    this.at = end + 1;
    return hasEscape ? (JSON.parse(text.slice(start, end + 1)) as string) : text.slice(start + 1, end);
  }

  /** Skips the bracket or comma before a value. Returns false, and skips the closing bracket, when there is no value. */
  private hasNext(close: number): boolean {
    if (this.peek() !== close) this.at += 1;
    if (this.peek() !== close) return true;
    this.at += 1;
    return false;
  }

  /** Skips white space. Returns the code of the next character. */
  private peek(): number {
    let c = this.text.charCodeAt(this.at);
    while (c <= 0x20) c = this.text.charCodeAt(++this.at);
    return c;
  }
}

function endsWord(c: number): boolean {
  return c === COMMA || c === CLOSE_ARRAY || c === CLOSE_OBJECT || c <= 0x20;
}
