import { parseExact } from '../event/json/exact-json';
import { parseJson } from '../event/json/parse-json';
import { isIndex, sliceAt, sliceItems, sliceMembers, type Slice } from './json-slices';

/**
 * A JSON value together with its text as it was sent. JSON.parse rounds long numbers and forgets how a number was
 * written, so whoever needs a value exactly takes it from `text`. Of members with equal names the last counts.
 */
export class JsonDocument {
  /** The text of a part is found when it is first needed: most readers need only the value. */
  private source: string | (() => string);
  private parsed: unknown;

  /**
   * @param text valid JSON
   * @param value what JSON.parse(text) returns, if the caller has it
   */
  constructor(text: string | (() => string), value?: unknown) {
    this.source = text;
    this.parsed = value;
  }

  get text(): string {
    if (typeof this.source === 'function') this.source = this.source();
    return this.source;
  }

  /** What JSON.parse should return for the text. Parsed when it is first needed. */
  get value(): unknown {
    if (this.parsed === undefined) this.parsed = parseJson(this.text);
    return this.parsed;
  }

  /** The value with numbers that a double cannot hold as ExactNumber. Filters compare it. */
  get exact(): unknown {
    return LONG_NUMBER.test(this.text) ? parseExact(this.text) : this.value;
  }

  /** Returns what is at a path of member names and array indices, or undefined if nothing is there. */
  at(path: readonly string[]): JsonDocument | undefined {
    let value = this.value;
    for (const segment of path) {
      if (!hasMember(value, segment)) return undefined;
      value = value[segment];
    }
    return new JsonDocument(() => cut(this.text, sliceAt(this.text, path)), value);
  }

  /** Returns the text of each member of an object, in one pass. Of any other value: nothing. */
  memberTexts(): Map<string, string> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
    return new Map([...sliceMembers(this.text)].map(([name, slice]) => [name, cut(this.text, slice)]));
  }

  /** Returns the elements of an array, or undefined if the value is not an array. */
  items(): JsonDocument[] | undefined {
    const { value } = this;
    if (!Array.isArray(value)) return undefined;
    let slices: Slice[] | undefined;
    return value.map((item: unknown, i) => {
      const text = (): string => cut(this.text, (slices ??= sliceItems(this.text))[i] as Slice);
      return new JsonDocument(text, item);
    });
  }
}

/** A double holds every number of 15 digits with an exponent of 2 digits. */
const LONG_NUMBER = /[\d.]{16}|\d[eE][+-]?\d{3}/;

const cut = (text: string, { start, end }: Slice): string => text.slice(start, end);

function hasMember(value: unknown, name: string): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, name) && (!Array.isArray(value) || isIndex(name));
}
