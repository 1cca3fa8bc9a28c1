import { decimalOf, isExactlyPrinted } from './json-text';

/**
 * Values that JSON.parse cannot hold: it rounds long numbers, and of members with equal names it keeps only the last.
 */
export abstract class ExactValue {
  /** Returns the canonical text of this value. `canonical` gives that of a value inside it. */
  abstract canonical(canonical: (value: unknown) => string): string;
}

/** A number that a double cannot hold, as text in the normal form of decimalOf. */
class ExactNumber extends ExactValue {
  constructor(private readonly decimal: string) {
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
    const byName = [...this.members].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); // a stable sort
    return `{${byName.map(([name, value]) => `${canonical(name)}:${canonical(value)}`).join(',')}}`;
  }
}

/** Parses JSON for canonicalJson and keeps numbers apart that JSON.parse would round to the same double. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, exactReviver);
}

function exactReviver(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  return context?.source === undefined || typeof value !== 'number' ? value : exactNumber(value, context.source);
}

function exactNumber(value: number, source: string): unknown {
  return isExactlyPrinted(source) ? value : new ExactNumber(decimalOf(source));
}

/**
 * Parses JSON like parseExact and also keeps members with equal names. Many times slower than JSON.parse, so use it only
 * for a text that repeats a name. JSON.parse must have accepted the text. Recursive: callers must bound its depth.
 */
export function parseRepeating(text: string): unknown {
  return new RepeatingParser(text).value();
}

const WORD = /[-+.\w]+/y; // a number, true, false or null
const SPACE = /[ \t\r\n]*/y;

class RepeatingParser {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): unknown {
    const c = this.peek();
    if (c === '{') return this.object();
    if (c === '[') return this.array();
    if (c === '"') return this.string();
    const source = this.match(WORD);
    const value = JSON.parse(source) as unknown;
    return typeof value === 'number' ? exactNumber(value, source) : value;
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    while (this.hasNext(']')) items.push(this.value());
    return items;
  }

  private object(): unknown {
    const members: [string, unknown][] = [];
    while (this.hasNext('}')) {
      const name = this.string();
      this.peek();
      this.at += 1; // the colon
      members.push([name, this.value()]);
    }
    const repeats = new Set(members.map(([name]) => name)).size < members.length;
    return repeats ? new RepeatingObject(members) : Object.fromEntries(members);
  }

  /** Finds the end by a loop: a pattern of this kind runs out of stack on a long text. */
  private string(): string {
    const start = this.at;
    do {
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    } while (this.text[this.at] !== '"');
    this.at += 1;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  /** Skips the bracket or comma before a value. Returns false, and skips the closing bracket, when there is no value. */
  private hasNext(close: string): boolean {
    if (this.peek() !== close) this.at += 1;
    if (this.peek() !== close) return true;
    this.at += 1;
    return false;
  }

  private peek(): string | undefined {
    this.match(SPACE);
    return this.text[this.at];
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}
