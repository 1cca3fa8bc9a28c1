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
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Returns the position of the closing quote of the string that begins at `start`. */
function closingQuote(text: string, start: number): number {
  let i = start + 1;
  for (let c = text.charCodeAt(i); c !== QUOTE; c = text.charCodeAt(++i)) if (c === BACKSLASH) i += 1;
  return i;
}

function withoutSpaceAtEnd(text: string, end: number): number {
  while (text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return end;
}

/** Returns the slices of the elements of an array. */
export function sliceItems(text: string): Slice[] {
  const slices: Slice[] = [];
  let level = 0;
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c <= 0x20) continue;
    if (level === 1 && (c === COMMA || c === CLOSE_ARRAY)) {
      if (start >= 0) slices.push({ start, end: withoutSpaceAtEnd(text, i) });
      start = -1;
      if (c === CLOSE_ARRAY) break;
      continue;
    }
    if (level === 1 && start < 0) start = i;
    if (c === QUOTE) i = closingQuote(text, i);
    else if (c === OPEN_ARRAY || c === OPEN_OBJECT) level += 1;
    else if (c === CLOSE_ARRAY || c === CLOSE_OBJECT) level -= 1;
  }
  return slices;
}

/**
 * Returns the slice of the value at a path of member names and array indices. Of members with equal names the last
 * counts, as in JSON.parse. The value must exist.
 */
export function sliceAt(text: string, path: readonly string[]): Slice {
  return new PathScanner(text, path).scan();
}

/** An array or object that the path leads into. */
interface Container {
  isArray: boolean;
  /** Number of the current element of an array. */
  index: number;
}

class PathScanner {
  /** The containers on the path that the scan is inside of. */
  private readonly entered: Container[] = [];
  /** Number of containers that the scan is inside of. All of them are on the path when this equals entered.length. */
  private level = 0;
  /** True in the innermost container on the path when the path leads to the current member or element. */
  private isNext = false;
  /** True between a name and its value. */
  private afterName = false;
  private start = -1;
  private found: Slice = { start: 0, end: 0 };

  constructor(
    private readonly text: string,
    private readonly path: readonly string[],
  ) {}

  scan(): Slice {
    const { text } = this;
    if (this.path.length === 0) return { start: text.length - text.trimStart().length, end: text.trimEnd().length };
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c <= 0x20) continue;
      if (c === COMMA || c === CLOSE_OBJECT || c === CLOSE_ARRAY) this.endValue(c, i);
      else if (c === QUOTE) i = this.string(i);
      else if (c === COLON) this.afterName = true;
      else this.beginValue(c, i);
    }
    return this.found;
  }

  private get isOnPath(): boolean {
    return this.level === this.entered.length;
  }

  /** Reads a name or a string. Returns the position of its last character. */
  private string(start: number): number {
    const end = closingQuote(this.text, start);
    if (!this.isOnPath) return end;
    const container = this.entered.at(-1);
    if (container?.isArray === false && !this.afterName) {
      this.isNext = this.isName(start, end, this.path[this.level - 1] as string);
    } else {
      this.beginValue(QUOTE, start);
    }
    return end;
  }

  private isName(start: number, end: number, name: string): boolean {
    const { text } = this;
    if (end - start - 1 === name.length && text.startsWith(name, start + 1) && !name.includes('\\')) return true;
    const raw = text.slice(start, end + 1);
    return raw.includes('\\') && JSON.parse(raw) === name;
  }

  private beginValue(c: number, at: number): void {
    const opens = c === OPEN_ARRAY || c === OPEN_OBJECT;
    if (this.isOnPath && (this.level === 0 || (this.isNext && this.start < 0))) {
      if (this.level === this.path.length) this.start = at;
      else if (opens) this.enter(c === OPEN_ARRAY);
    }
    if (opens) this.level += 1;
  }

  private enter(isArray: boolean): void {
    const wanted = this.path[this.level] as string;
    this.entered.push({ isArray, index: 0 });
    this.isNext = isArray && wanted === '0';
    this.afterName = false;
  }

  private endValue(c: number, at: number): void {
    if (this.isOnPath) {
      if (this.start >= 0) this.found = { start: this.start, end: withoutSpaceAtEnd(this.text, at) };
      this.start = -1;
      this.isNext = false;
      this.afterName = false;
      const container = this.entered.at(-1) as Container;
      if (c !== COMMA) this.entered.pop();
      else if (container.isArray) this.isNext = String(++container.index) === this.path[this.level - 1];
    }
    if (c !== COMMA) this.level -= 1;
  }
}
