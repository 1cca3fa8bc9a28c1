import { isSpace } from '../../event/json/white-space';
import { isJson } from '../../event/json/json-text';

type Attributes = Readonly<Record<string, string>>;

/** Not JSON, so that prepareEvent rejects the record as malformed. */
const MALFORMED_RECORD = '{"payload":';

/**
 * Collects one <event> and returns the JSON text of its envelope. Every attribute and element becomes a member, even if
 * it is unknown or repeated; prepareEvent then rejects the event and names the place. An element is turned into JSON
 * text when it closes, so only open elements need objects. Since the result is text, `__proto__` is an ordinary name.
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
    const closed = this.open.pop() as OpenElement; // the parser has matched the tags
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
    // Unchecked, a payload of `1,"subject":"x"` would add members to the envelope. The text is kept, so that its
    // numbers stay exact.
    this.payloadIsJson &&= isJson(trimmed);
    return trimmed;
  }
}

/** An element that has not closed. Attribute → member `@name`, child → member, children of one name → array. */
class OpenElement {
  text = '';
  private readonly isNil: boolean;
  /** The JSON text of each member. Created when needed: most elements contain only text. */
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

  /** True without attributes and children. */
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

/** True for XML white space only. String.trim would also remove a no-break space, for example. */
export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text);
}

function trim(text: string): string {
  let start = 0;
  let end = text.length; // loops, because /\s+$/ takes quadratic time on white space inside the text
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
