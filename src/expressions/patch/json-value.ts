import { canonicalJson, quoted } from '../../event/json/canonical-json';
import { parseRepeating } from '../../event/json/exact-json';
import { bracketEnds, isIndex, memberSlices, sliceItems, type Slice } from '../json-slices';

/** A JSON text, and where its arrays and objects end. */
export class JsonSource {
  private found: Int32Array | undefined;

  /** @param text JSON.parse must have accepted it; without white space around it */
  constructor(readonly text: string) {}

  /** For the position of each opening bracket, the position behind the closing one. Found when first needed. */
  get ends(): Int32Array {
    return (this.found ??= bracketEnds(this.text));
  }
}

/**
 * A value in a document that is being edited. It is a piece of the text as it was sent until it is entered. Entering
 * reads only the level below it.
 */
export class JsonValue {
  private characters: number;
  private entered: JsonContainer | undefined;
  /** Its text since the last edit inside it, if it was asked for. */
  private written: JsonSource | undefined;
  private comparable: string | undefined;

  constructor(
    private readonly source: JsonSource,
    private readonly start: number,
    private readonly end: number,
  ) {
    this.characters = end - start;
  }

  static of(text: string): JsonValue {
    return new JsonValue(new JsonSource(text), 0, text.length);
  }

  /** Undefined for a string, number, true, false or null. */
  get container(): JsonContainer | undefined {
    if (this.entered) return this.entered;
    const first = this.source.text[this.start];
    if (first !== '{' && first !== '[') return undefined;
    return (this.entered = new JsonContainer(this.source, { start: this.start, end: this.end }));
  }

  /** Characters of its text. */
  get length(): number {
    return this.characters;
  }

  get text(): string {
    return this.entered ? (this.written ??= new JsonSource(this.write())).text : this.sent;
  }

  /** Returns an equal value. It shares the text of this one, but no edit. */
  copy(): JsonValue {
    if (!this.entered) return new JsonValue(this.source, this.start, this.end);
    const { length } = this.text;
    return new JsonValue(this.written as JsonSource, 0, length);
  }

  /** To be called for an edit somewhere inside this value. @param by characters that its text becomes longer by */
  grow(by: number): void {
    this.characters += by;
    this.written = undefined;
  }

  private write(): string {
    const pieces: string[] = [];
    const stack: (JsonValue | string)[] = [this]; // no recursion: moves can make a document deep
    for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
      if (typeof piece === 'string') pieces.push(piece);
      else if (piece.entered && !piece.written) piece.entered.unfoldOnto(stack);
      else pieces.push(piece.text);
    }
    return pieces.join('');
  }

  /** Of a scalar: equal for two values exactly if an event's hash takes them as equal. */
  get canonical(): string {
    return (this.comparable ??= canonicalJson(parseRepeating(this.sent)));
  }

  private get sent(): string {
    return this.source.text.slice(this.start, this.end);
  }
}

/** Members or elements of an object or array that is edited. Each takes some hundred bytes of memory. */
const MOST_PARTS = 200_000;

/** Why an operation cannot be applied. */
export class PatchFault extends Error {}

/** A member or an element, with the text around it. */
interface Part {
  /** Name of a member; undefined for an element. */
  name: string | undefined;
  /** What is written before it: white space, and the comma behind the part before. */
  lead: string;
  /** The name of a member and the colon, as they were written. */
  label: string;
  value: JsonValue;
}

/**
 * An array or object that is being edited. What is not edited stays as it was written: white space, the order of members
 * and how names are spelled. An edit costs no more than a search through the parts, and returns by how many characters
 * the text becomes longer.
 */
export class JsonContainer {
  private readonly byName = new Map<string, Part>();
  /** The parts of each name that the object has more than once. */
  private readonly repeated = new Map<string, Part[]>();
  private readonly parts: Part[] = [];
  /** What is written behind the last part: white space and the bracket. */
  private tail: string;

  /** @param slice of the array or object */
  constructor(source: JsonSource, slice: Slice) {
    const { text, ends } = source;
    this.isArray = text[slice.start] === '[';
    let before = slice.start + 1;
    const add = (name: string | undefined, nameStart: number, { start, end }: Slice): void => {
      const lead = text.slice(before, nameStart);
      this.keep({ name, lead, label: text.slice(nameStart, start), value: new JsonValue(source, start, end) });
      before = end;
    };
    const most = MOST_PARTS + 1;
    const items = this.isArray ? sliceItems(text, slice.start, ends, most) : [];
    const members = this.isArray ? [] : memberSlices(text, slice.start, ends, most);
    if (items.length + members.length === most) {
      throw new PatchFault(`an object or array with more than ${MOST_PARTS} parts cannot be edited`);
    }
    for (const item of items) add(undefined, item.start, item);
    for (const member of members) add(member.name, member.nameStart, member);
    this.tail = text.slice(before, slice.end);
  }

  readonly isArray: boolean;

  get size(): number {
    return this.parts.length;
  }

  /** Returns the value of a member or an element, or undefined if there is none. @throws PatchFault for a repeated name */
  get(segment: string): JsonValue | undefined {
    return this.partOf(segment)?.value;
  }

  /** Returns the values of a name in their order. */
  all(name: string): JsonValue[] {
    const parts = this.repeated.get(name) ?? [this.byName.get(name)];
    return parts.flatMap((part) => (part ? [part.value] : []));
  }

  names(): Iterable<string> {
    return this.byName.keys();
  }

  items(): JsonValue[] {
    return this.parts.map(({ value }) => value);
  }

  replace(segment: string, value: JsonValue): number {
    const part = this.partOf(segment);
    if (!part) throw new PatchFault('there is no value to replace');
    const longer = value.length - part.value.length;
    part.value = value;
    return longer;
  }

  /** Adds a member or an element, or replaces the member, as RFC 6902 says of `add`. */
  add(segment: string, value: JsonValue): number {
    if (this.isArray) return this.insert(segment, value);
    if (this.partOf(segment)) return this.replace(segment, value);
    const lead = this.parts.length > 0 ? ',' : '';
    const label = `${quoted(segment)}:`;
    this.keep({ name: segment, lead, label, value });
    return lead.length + label.length + value.length;
  }

  remove(segment: string): number {
    const part = this.partOf(segment);
    if (!part) throw new PatchFault('there is no value to remove');
    const index = this.isArray ? Number(segment) : this.parts.indexOf(part);
    const next = this.parts[index + 1];
    let removed = part.label.length + part.value.length;
    if (index > 0) {
      removed += part.lead.length;
    } else if (next) {
      removed += next.lead.length;
      next.lead = part.lead;
    } else {
      this.tail = part.lead + this.tail;
    }
    this.parts.splice(index, 1);
    if (part.name !== undefined) this.byName.delete(part.name);
    return -removed;
  }

  /** Puts the pieces of the text on a stack, the first on top. */
  unfoldOnto(stack: (JsonValue | string)[]): void {
    stack.push(this.tail);
    for (let i = this.parts.length - 1; i >= 0; i--) {
      const { lead, label, value } = this.parts[i] as Part;
      stack.push(value, label, lead);
    }
    stack.push(this.isArray ? '[' : '{');
  }

  private insert(index: string, value: JsonValue): number {
    const { length } = this.parts;
    const at = index === '-' ? length : isIndex(index) ? Number(index) : -1;
    if (at < 0 || at > length) throw new PatchFault(`the array has ${length} elements and no place for this index`);
    const next = this.parts[at];
    const part = { name: undefined, lead: next?.lead ?? (length > 0 ? ',' : ''), label: '', value };
    if (next) next.lead = ',';
    this.parts.splice(at, 0, part);
    return value.length + (length > 0 ? 1 : 0); // and a comma
  }

  private partOf(segment: string): Part | undefined {
    if (this.isArray) return isIndex(segment) ? this.parts[Number(segment)] : undefined;
    // It is not known which one is meant.
    if (this.repeated.has(segment)) throw new PatchFault(`the object has the name ${quoted(segment)} more than once`);
    return this.byName.get(segment);
  }

  private keep(part: Part): void {
    this.parts.push(part);
    const { name } = part;
    if (name === undefined) return;
    const first = this.byName.get(name);
    const twins = this.repeated.get(name);
    if (!first) this.byName.set(name, part);
    else if (twins) twins.push(part);
    else this.repeated.set(name, [first, part]);
  }
}
