import { quoted } from '../../event/json/canonical-json';
import { isSpace } from '../../event/json/white-space';
import { isJson } from '../../event/json/json-text';
import { declaresNamespace, isNil, referredTo, withDeclarations, type Namespaces } from './xml-namespaces';

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
  /** Those of the root and of <event>. They apply to the payload and would otherwise be lost. */
  private readonly namespaces: Namespaces;
  private ownText = '';
  private payloadIsJson = true;

  constructor(attributes: Attributes, namespacesOfRoot: Namespaces) {
    this.namespaces = withDeclarations(namespacesOfRoot, attributes);
    for (const name in attributes) {
      if (!declaresNamespace(name)) this.member(name, this.fieldText(name, attributes[name] as string));
    }
  }

  openElement(name: string, attributes: Attributes): void {
    const element = new OpenElement(name);
    this.open.push(element);
    for (const attribute in attributes) element.addAttribute(attribute, attributes[attribute] as string);
    for (const attribute in attributes) {
      if (isNil(attribute, attributes[attribute] as string, (name) => this.uriOf(name))) element.nil = attribute;
    }
  }

  text(text: string): void {
    const element = this.open.at(-1);
    if (element) element.text += text;
    else this.ownText += text;
  }

  closeElement(): void {
    const closed = this.open.pop() as OpenElement; // the parser has matched the tags
    const parent = this.open.at(-1);
    if (parent) parent.addChild(closed.name, closed.toJson());
    else if (closed.isField) this.member(closed.name, this.fieldText(closed.name, closed.text));
    else this.member(closed.name, closed.toJson(this.namespaces));
  }

  toJson(): string {
    if (!isBlank(this.ownText)) this.member('#text', JSON.stringify(trim(this.ownText)));
    return this.payloadIsJson ? `{${this.members.join(',')}}` : MALFORMED_RECORD;
  }

  private uriOf(declaration: string): string | undefined {
    const uri = this.open.findLast(({ declared }) => declared?.has(declaration))?.declared?.get(declaration);
    return uri ?? this.namespaces.get(declaration);
  }

  private member(name: string, json: string): void {
    this.members.push(`${quoted(name)}:${json}`);
  }

  private fieldText(name: string, text: string): string {
    const trimmed = trim(text);
    if (name !== 'payload') return quoted(trimmed);
    if (trimmed === '') return 'null';
    // Unchecked, a payload of `1,"subject":"x"` would add members to the envelope. The text is kept, so that its
    // numbers stay exact.
    this.payloadIsJson &&= isJson(trimmed);
    return trimmed;
  }
}

/**
 * An element that has not closed. Attribute → member `@name`, child → member, children of one name → array. The order
 * of children with different names is lost, as JSON has none.
 */
export class OpenElement {
  /** The text since the last child. */
  text = '';
  /** Name of the attribute that says that the element is nil. */
  nil: string | undefined;
  /** Its own namespace declarations. */
  declared: Map<string, string> | undefined;
  /** The JSON text of each member. Created when needed: most elements contain only text. */
  private members: Map<string, string | string[]> | undefined;
  /** Text before each child, unless it is blank; undefined without children. */
  private textBefore: string[] | undefined;

  constructor(readonly name: string) {}

  /** True for an element directly in <event> that has the text of a field, or JSON. Neither has namespaces. */
  get isField(): boolean {
    if (this.members) return false;
    return this.name !== 'payload' || !isBlank(this.text) || !this.declaresAny;
  }

  private get declaresAny(): boolean {
    return this.declared !== undefined && [...this.declared.values()].some((uri) => uri !== '');
  }

  addAttribute(name: string, value: string): void {
    if (declaresNamespace(name)) (this.declared ??= new Map()).set(name, value);
    else this.add(`@${name}`, quoted(value));
  }

  addChild(name: string, json: string): void {
    this.textBefore ??= [];
    if (!isBlank(this.text)) this.textBefore.push(this.text);
    this.text = '';
    this.add(name, json);
  }

  /** @param outer declarations of the enclosing elements; those that the element refers to become its own */
  toJson(outer?: Namespaces): string {
    if (this.isNothing) return 'null';
    const parts: string[] = [];
    for (const [name, json] of this.members ?? []) {
      parts.push(`${quoted(name)}:${typeof json === 'string' ? json : `[${json.join(',')}]`}`);
    }
    const text = this.textJson();
    if (parts.length === 0 && !this.declared) return text ?? 'null';
    if (text !== undefined) parts.push(`"#text":${text}`);
    const json = parts.join(',');
    const namespaces = this.namespacesJson(json, outer);
    return `{${namespaces}${namespaces !== '' && json !== '' ? ',' : ''}${json}}`;
  }

  /** True for an element with nil and nothing else, apart from the declaration of its prefix. */
  private get isNothing(): boolean {
    if (this.nil === undefined || this.members?.size !== 1 || this.textBefore || this.text !== '') return false;
    return !this.declared || (this.declared.size === 1 && this.declared.has(`xmlns:${this.nil.slice(0, -4)}`));
  }

  private add(name: string, json: string): void {
    this.members ??= new Map();
    const before = this.members.get(name);
    if (before === undefined) this.members.set(name, json);
    else if (typeof before === 'string') this.members.set(name, [before, json]);
    else before.push(json);
  }

  /** Text is kept exactly, unless there are children: what is blank between them, and around all text, is layout. */
  private textJson(): string | undefined {
    if (!this.textBefore) return this.text === '' ? undefined : quoted(this.text);
    const texts = isBlank(this.text) ? this.textBefore : [...this.textBefore, this.text];
    if (texts.length < 2) return texts.length === 0 ? undefined : quoted(trim(texts[0] as string));
    return JSON.stringify(texts.map((text, i) => trim(text, i === 0, i === texts.length - 1)));
  }

  private namespacesJson(json: string, outer: Namespaces | undefined): string {
    if (!this.declared && !outer?.size) return '';
    const all = new Map([...(outer ? referredTo(outer, json) : []), ...(this.declared ?? [])]);
    return Array.from(all, ([name, uri]) => `"@${name}":${quoted(uri)}`).join(',');
  }
}

/** True for XML white space only. String.trim would also remove a no-break space, for example. */
export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text);
}

function trim(text: string, atStart = true, atEnd = true): string {
  let start = 0;
  let end = text.length; // loops, because /\s+$/ takes quadratic time on white space inside the text
  while (atStart && start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (atEnd && end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
