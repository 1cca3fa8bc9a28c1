import { MAX_DEPTH } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { BytePositions } from './byte-positions';
import { NO_NAMESPACES, withDeclarations, type Namespaces } from './xml-namespaces';
import { XmlEventText, type ReceivedText } from './xml-event-text';
import { xmlParser } from './xml-parser';
import { EventElement, isBlank } from './xml-to-json';

const MAX_ATTRIBUTES = 256;
/** The root, <event> and <payload> enclose the first level of a payload. */
const MAX_ELEMENT_DEPTH = MAX_DEPTH + 3;
/** How much longer than an event one tag, comment or text may be, in characters, so that an event is refused alone. */
const GAP_BEYOND_EVENT = 16_384;
/** Limit of the root's namespace declarations, in characters. They may become part of each payload. */
const MAX_NAMESPACES = 4_096;
const ENCODINGS = /^(utf-?8|us-ascii)$/i;

/** Private fields of saxes: what it buffers until the next tag, which `forget` clears to bound memory; and its input. */
interface Internals {
  text: string;
  name: string;
  chunk: string;
  /** Position in `chunk`. */
  i: number;
}

/** An <event>: the JSON text of its envelope, empty if the event is too large, and its size as received. */
interface XmlEvent {
  json: string;
  bytes: number;
  received: ReceivedText;
  /** Those of the root; undefined if it has none. */
  namespaces: Namespaces | undefined;
}

/**
 * Reads a root of any name with <event> elements. The JSON text of an event is at most about 2.5 times as long as its
 * XML, for example 10 bytes of `"ab":null,` from 5 of `<ab/>`, apart from namespace declarations of the root.
 */
export class EventsDocument {
  private readonly parser = xmlParser();
  private readonly maxGap: number;
  private events: XmlEvent[] = [];
  /** The event being read; undefined between events and for an event that is too large to keep. */
  private event: EventElement | undefined;
  private depth = 0;
  private attributes = 0;
  private namespacesOfRoot = NO_NAMESPACES;
  private readonly bytes = new BytePositions();
  private readonly eventText: XmlEventText;
  /** Position of the current <event>, in bytes. */
  private eventStart = 0;
  /** Characters written so far; saxes' own position is valid only inside write(). */
  private written = 0;
  private completedAt = -1;
  private lastStep = 0;

  constructor(private readonly maxEventBytes: number) {
    this.maxGap = maxEventBytes + GAP_BEYOND_EVENT;
    this.eventText = new XmlEventText(maxEventBytes);
    const { parser } = this;
    parser.on('xmldecl', ({ encoding }) => this.declared(encoding));
    parser.on('doctype', () => this.refuse('A document type declaration (DOCTYPE) is not allowed.'));
    parser.on('opentagstart', ({ name }) => this.enter(name));
    parser.on('attribute', () => this.countAttribute());
    parser.on('opentag', ({ name, attributes }) => this.opened(name, attributes));
    parser.on('closetag', () => this.closed());
    parser.on('text', (text) => this.text(text));
    parser.on('cdata', (text) => this.text(text));
    parser.on('comment', () => this.step());
    parser.on('processinginstruction', () => this.step());
    parser.on('error', ({ message }) => this.notWellFormed(message));
  }

  /** @throws Problem `malformed-body`. Events completed before the error can still be taken. */
  write(text: string): void {
    this.bytes.add(text);
    this.eventText.add(text);
    this.parser.write(text);
    this.written += text.length;
    this.forget(text);
    this.boundGap(this.written);
  }

  /** @throws Problem `malformed-body` when the document is incomplete */
  end(): void {
    this.parser.close();
  }

  take(): XmlEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }

  private declared(encoding: string | undefined): void {
    if (encoding !== undefined && !ENCODINGS.test(encoding)) {
      this.refuse(`The encoding ${short(encoding)} is not supported. Send the document in UTF-8.`);
    }
    this.step();
  }

  private enter(name: string): void {
    this.attributes = 0;
    this.depth += 1;
    if (this.depth > MAX_ELEMENT_DEPTH) this.refuse(`Elements are nested deeper than ${MAX_ELEMENT_DEPTH} levels.`);
    if (this.depth !== 2) return;
    if (name !== 'event') this.refuse(`The root may contain only <event> elements, not <${short(name)}>.`);
    const { chunk, i } = this.internals;
    const end = chunk.endsWith('\r\n', i) ? 2 : 1; // characters read to find the end of the name
    this.eventStart = this.position - end - name.length - 1;
    this.eventText.beginEvent(this.parser.position - end - name.length - 1);
  }

  private countAttribute(): void {
    this.attributes += 1;
    if (this.attributes > MAX_ATTRIBUTES) this.refuse(`An element has more than ${MAX_ATTRIBUTES} attributes.`);
  }

  private opened(name: string, attributes: Record<string, string>): void {
    this.step();
    if (this.depth === 1) this.namespacesOfRoot = this.boundedNamespaces(attributes);
    else if (this.depth > 2) this.event?.openElement(name, attributes);
    else if (!this.isTooLarge(this.position)) this.event = new EventElement(attributes, this.namespacesOfRoot);
  }

  private boundedNamespaces(attributes: Record<string, string>): Namespaces {
    const namespaces = withDeclarations(NO_NAMESPACES, attributes);
    let length = 0;
    for (const [name, uri] of namespaces) length += name.length + uri.length;
    if (length > MAX_NAMESPACES) {
      this.refuse(`The namespace declarations of the root have more than ${MAX_NAMESPACES} characters.`);
    }
    return namespaces;
  }

  private closed(): void {
    this.step();
    this.depth -= 1;
    if (this.depth > 1) this.event?.closeElement();
    if (this.depth !== 1) return;
    const { position } = this;
    const kept = this.isTooLarge(position) ? undefined : this.event;
    const received = this.eventText.endEvent(this.parser.position);
    const namespaces = this.namespacesOfRoot.size > 0 ? this.namespacesOfRoot : undefined;
    this.events.push({ json: kept?.toJson() ?? '', bytes: position - this.eventStart, received, namespaces });
    this.event = undefined;
    this.completedAt = this.parser.position;
  }

  private text(text: string): void {
    this.step();
    if (this.depth > 1) this.event?.text(text);
    else if (this.depth === 1 && !isBlank(text)) {
      this.refuse(`The root may contain only <event> elements, not the text that ends here.`);
    }
  }

  private get internals(): Internals {
    return this.parser as unknown as Internals;
  }

  /** Where the parser is, in bytes. */
  private get position(): number {
    return this.bytes.of(this.parser.position);
  }

  private isTooLarge(position: number): boolean {
    return position - this.eventStart > this.maxEventBytes;
  }

  /**
   * Drops an event that is too large, and the text, CDATA or comment of it that saxes has buffered. Outside of events, it
   * drops white space, which may be of any length and means nothing.
   * @param piece what was written last
   */
  private forget(piece: string): void {
    const gathering = this.internals;
    if (this.depth < 2) {
      if (!isBlank(piece) || !isBlank(gathering.text)) return;
    } else {
      if (!this.isTooLarge(this.bytes.total)) return;
      this.event = undefined;
      if (gathering.text === '') return;
    }
    if (gathering.name !== '') return; // inside a tag, the text is the value of an attribute
    gathering.text = '';
    this.lastStep = this.written;
  }

  private step(): void {
    this.boundGap(this.parser.position);
    this.lastStep = this.parser.position;
  }

  /** Bounds memory: saxes buffers a whole tag, comment or text, whatever its length. */
  private boundGap(position: number): void {
    if (position - this.lastStep <= this.maxGap) return;
    this.refuse(`A tag, or a comment or text outside of events, is longer than ${this.maxGap} characters.`);
  }

  private refuse(message: string): never {
    throw malformed(`Line ${this.parser.line}: ${message}`);
  }

  /** saxes reports an element as closed before it finds that the end tag does not match. That event is discarded. */
  private notWellFormed(message: string): never {
    if (this.parser.position === this.completedAt) this.events.pop();
    throw malformed(`The document is not well-formed XML in UTF-8 (${short(message)})`);
  }
}

export function malformed(message: string): Problem {
  return new Problem('malformed-body', message);
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
