import { isSpace } from '../../event/json/white-space';
import { isJson } from '../../event/json/json-text';

type Attributes = Readonly<Record<string, string>>;

/** Not JSON, so that prepareEvent refuses the record as malformed. */
const MALFORMED_RECORD = '{"payload":';

/**
 * One <event> while it is read → the JSON text of the same envelope. Everything an event brings becomes a member, known
 * or not and once or twice: it is `prepareEvent` that refuses, and says where. An element is folded into JSON text as it
 * closes, so only the open ones have objects; text is built, not objects, so `__proto__` is a name like any other.
 */
export class EventElement {
  private readonly members: string[] = [];
  private readonly open: OpenElement[] = [];
  private ownText = '';
  private payloadIsJson = true;

  constructor(attributes: Attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (!declaresNamespace(name)) this.member(name, this.fieldText(name, value));
    }
  }

  openElement(name: string, attributes: Attributes): void {
    this.open.push(new OpenElement(name, attributes));
  }

  text(text: string): void {
    const element = this.open.at(-1);
    if (element) element.text += text;
    else this.ownText += text;
  }

  closeElement(): void {
    const closed = this.open.pop() as OpenElement; // the parser pairs the tags
    const parent = this.open.at(-1);
    if (parent) parent.add(closed.name, closed.toJson());
    else if (closed.isPlain) this.member(closed.name, this.fieldText(closed.name, closed.text));
    else this.member(closed.name, closed.toJson());
  }

  toJson(): string {
    if (!isBlank(this.ownText)) this.member('#text', JSON.stringify(trim(this.ownText)));
    return this.payloadIsJson ? `{${this.members.join(',')}}` : MALFORMED_RECORD;
  }

  private member(name: string, json: string): void {
    this.members.push(`${JSON.stringify(name)}:${json}`);
  }

  private fieldText(name: string, text: string): string {
    const trimmed = trim(text);
    if (name !== 'payload') return JSON.stringify(trimmed);
    if (trimmed === '') return 'null';
    // Unparsed, a payload of `1,"subject":"x"` would write into the envelope. The text itself is kept: its numbers too.
    this.payloadIsJson &&= isJson(trimmed);
    return trimmed;
  }
}

/** An element that has not closed: attribute → `@name`, child → member, children of one name → array. */
class OpenElement {
  text = '';
  private readonly isNil: boolean;
  /** The JSON text of each member. Made when needed: most elements have text only. */
  private members: Map<string, string | string[]> | undefined;

  constructor(
    readonly name: string,
    attributes: Attributes,
  ) {
    this.isNil = attributes['xsi:nil'] === 'true';
    for (const [attribute, value] of Object.entries(attributes)) {
      if (!declaresNamespace(attribute)) this.add(`@${attribute}`, JSON.stringify(value));
    }
  }

  /** Neither attributes nor children. */
  get isPlain(): boolean {
    return this.members === undefined;
  }

  add(name: string, json: string): void {
    this.members ??= new Map();
    const before = this.members.get(name);
    if (before === undefined) this.members.set(name, json);
    else if (typeof before === 'string') this.members.set(name, [before, json]);
    else before.push(json);
  }

  toJson(): string {
    if (this.isNil) return 'null';
    if (!this.members) return isBlank(this.text) ? 'null' : JSON.stringify(this.text);
    if (!isBlank(this.text)) this.add('#text', JSON.stringify(trim(this.text)));
    const parts: string[] = [];
    for (const [name, json] of this.members) {
      parts.push(`${JSON.stringify(name)}:${typeof json === 'string' ? json : `[${json.join(',')}]`}`);
    }
    return `{${parts.join(',')}}`;
  }
}

function declaresNamespace(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:');
}

/** Only what XML calls white space: String.trim would also take, say, a no-break space from a subject. */
export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text);
}

function trim(text: string): string {
  let start = 0;
  let end = text.length; // loops: /\s+$/ takes quadratic time on white space that does not end the text
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
