import { hash } from 'node:crypto';
import { canonicalJson, quoted } from '../../event/json/canonical-json';
import { parseRepeating } from '../../event/json/exact-json';

/** A value in a JSON text. */
export interface JsonNode {
  /** As it was written. */
  text: string;
  /** Equal for two values exactly if their canonical texts are equal: that text, or its hash where it is long. */
  identity: string;
  /** Of an object, in the order in which they were written. */
  members?: (readonly [name: string, value: JsonNode])[];
  /** Of an array. */
  items?: JsonNode[];
}

/** Longer texts are hashed, so that a value deep inside is not copied for each level above it. */
const MAX_IDENTITY_LENGTH = 64;

/**
 * Reads a JSON text in one pass. JSON.parse must have accepted it. Recursive: callers must bound its depth.
 */
export function jsonTree(text: string): JsonNode {
  return new TreeReader(text).value();
}

class TreeReader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(): JsonNode {
    const first = this.peek();
    const start = this.at;
    if (first === '{') {
      const members = this.members();
      return { text: this.text.slice(start, this.at), identity: identityOfObject(members), members };
    }
    if (first === '[') {
      const items = this.items();
      const joined = items.map(({ identity }) => identity).join(',');
      return { text: this.text.slice(start, this.at), identity: identityOf(`[${joined}]`), items };
    }
    const text = this.scalar();
    return { text, identity: identityOf(canonicalJson(parseRepeating(text))) };
  }

  private members(): (readonly [string, JsonNode])[] {
    const members: (readonly [string, JsonNode])[] = [];
    while (this.hasNext('}')) {
      this.peek();
      const name = JSON.parse(this.scalar()) as string;
      this.peek();
      this.at += 1; // the colon
      members.push([name, this.value()]);
    }
    return members;
  }

  private items(): JsonNode[] {
    const items: JsonNode[] = [];
    while (this.hasNext(']')) items.push(this.value());
    return items;
  }

  /** Returns the text of a string, number, true, false or null. */
  private scalar(): string {
    const { text } = this;
    const start = this.at;
    if (text[start] === '"') {
      this.at += 1;
      while (text[this.at] !== '"') this.at += text[this.at] === '\\' ? 2 : 1;
      this.at += 1;
    } else {
      while (this.at < text.length && !ENDS_WORD.has(text[this.at] as string)) this.at += 1;
    }
    return text.slice(start, this.at);
  }

  /** Skips the bracket or comma before a value. Returns false, and skips the closing bracket, when there is no value. */
  private hasNext(close: string): boolean {
    if (this.peek() !== close) this.at += 1;
    if (this.peek() !== close) return true;
    this.at += 1;
    return false;
  }

  /** Skips white space. Returns the next character. */
  private peek(): string {
    while (SPACE.has(this.text[this.at] as string)) this.at += 1;
    return this.text[this.at] as string;
  }
}

const SPACE: ReadonlySet<string> = new Set([' ', '\t', '\n', '\r']);
const ENDS_WORD: ReadonlySet<string> = new Set([...SPACE, ',', ']', '}']);

/** Members with equal names stay in their order, as in a canonical text. */
function identityOfObject(members: readonly (readonly [string, JsonNode])[]): string {
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return identityOf(`{${sorted.map(([name, { identity }]) => `${quoted(name)}:${identity}`).join(',')}}`);
}

/** No JSON text starts with `#`. */
const identityOf = (text: string): string =>
  text.length <= MAX_IDENTITY_LENGTH ? text : `#${hash('sha256', text, 'base64')}`;
