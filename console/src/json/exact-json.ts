/**
 * A JSON value as the places of its text. Nothing is converted, so 10.10 and 12345678901234567890 are shown as they were
 * sent, and an object that repeats a name keeps both members.
 */
export type JsonNode = JsonObject | JsonArray | JsonScalar;

interface Place {
  /** Offset of the first character in the text. */
  start: number;
  /** Offset behind the last character. */
  end: number;
}
export interface JsonObject extends Place {
  kind: 'object';
  members: { name: string; value: JsonNode }[];
}
export interface JsonArray extends Place {
  kind: 'array';
  items: JsonNode[];
}
export interface JsonScalar extends Place {
  kind: 'string' | 'number' | 'literal';
}

/** StreamForge accepts 64 levels; a response wraps them in a few of its own. */
const MAX_DEPTH = 100;
const BLANK = /[ \t\n\r]*/y;
// JSON forbids these control characters. Unrolled, so that 200 KB of one string need no stack.
// eslint-disable-next-line no-control-regex
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;

export class JsonSyntaxError extends Error {
  constructor(
    text: string,
    readonly offset: number,
    what: string,
  ) {
    const line = text.slice(0, offset).split('\n').length;
    super(`${what} in line ${line}, at character ${offset - text.lastIndexOf('\n', offset - 1)}.`);
  }
}

/** @throws JsonSyntaxError */
export function parseExact(text: string): JsonNode {
  const reader = new Reader(text);
  reader.blank();
  const node = reader.value(1);
  reader.blank();
  if (reader.at < text.length) throw new JsonSyntaxError(text, reader.at, 'There is text behind the JSON value');
  return node;
}

/** Returns what is wrong with the text as JSON, or undefined. */
export function faultOfJson(text: string): string | undefined {
  try {
    parseExact(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Returns the exact text of a member of the object that `text` holds, or undefined if there is none. */
export function memberText(text: string, name: string): string | undefined {
  const node = parseExact(text);
  if (node.kind !== 'object') return undefined;
  const value = node.members.find((member) => member.name === name)?.value;
  return value && text.slice(value.start, value.end);
}

class Reader {
  at = 0;

  constructor(private readonly text: string) {}

  blank(): void {
    this.take(BLANK);
  }

  value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(this.text, this.at, `There are more than ${MAX_DEPTH} levels`);
    const start = this.at;
    const first = this.text[start];
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    if (first === '"') return this.scalar('string', STRING, 'The string is not valid');
    if (first === '-' || (first !== undefined && first >= '0' && first <= '9')) {
      return this.scalar('number', NUMBER, 'The number is not valid');
    }
    return this.scalar('literal', LITERAL, 'A JSON value is missing');
  }

  private object(depth: number): JsonObject {
    const start = this.at;
    const members: JsonObject['members'] = [];
    this.separated('}', () => {
      const { start: from, end } = this.scalar('string', STRING, 'The name of a member is missing');
      this.blank();
      this.expect(':');
      this.blank();
      members.push({ name: JSON.parse(this.text.slice(from, end)) as string, value: this.value(depth + 1) });
    });
    return { kind: 'object', start, end: this.at, members };
  }

  private array(depth: number): JsonArray {
    const start = this.at;
    const items: JsonNode[] = [];
    this.separated(']', () => items.push(this.value(depth + 1)));
    return { kind: 'array', start, end: this.at, items };
  }

  /** Reads what stands between brackets, separated by commas. */
  private separated(closing: string, one: () => void): void {
    this.at++;
    this.blank();
    if (this.text[this.at] === closing) {
      this.at++;
      return;
    }
    for (;;) {
      one();
      this.blank();
      if (this.text[this.at] === closing) break;
      this.expect(',');
      this.blank();
    }
    this.at++;
  }

  private scalar(kind: JsonScalar['kind'], pattern: RegExp, missing: string): JsonScalar {
    const start = this.at;
    if (!this.take(pattern)) throw new JsonSyntaxError(this.text, start, missing);
    return { kind, start, end: this.at };
  }

  private take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const matches = pattern.test(this.text);
    if (matches) this.at = pattern.lastIndex;
    return matches;
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw new JsonSyntaxError(this.text, this.at, `A ${character} is missing`);
    this.at++;
  }
}
