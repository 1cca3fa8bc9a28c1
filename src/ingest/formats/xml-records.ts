import { Transform, type TransformCallback } from 'node:stream';
import { SaxesParser } from 'saxes';
import { MAX_DEPTH } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import type { StreamRecord } from './ndjson-records';
import type { StreamSource } from '../stream/stream-source';
import { Utf8Text } from './utf8-text';
import { EventElement, isBlank } from './xml-to-json';

const MAX_ATTRIBUTES = 256;
/** The root, <event> and <payload> enclose the first level of a payload. */
const MAX_ELEMENT_DEPTH = MAX_DEPTH + 3;
/** Bytes to parse between two memory checks. */
const PIECE_BYTES = 65_536;
/** Lower bound of the limit on one tag, comment or text, in characters; see boundGap. */
const MIN_GAP = 1_048_576;
const ENCODINGS = /^(utf-?8|us-ascii)$/i;

/**
 * Turns the bytes of an XML document into arrays of records, each with the JSON text of one <event>. An error in the
 * document ends the source instead of failing the pipeline, so the records before it are still stored and reported.
 */
export class XmlRecords extends Transform {
  private readonly utf8 = new Utf8Text();
  private readonly document: EventsDocument;
  private count = 0;
  private faulted = false;
  /** Replaces every event that was too large to keep. The next stage only sees that it is over the limit. */
  private tooLong: Buffer | undefined;

  constructor(
    private readonly maxEventBytes: number,
    private readonly source: Pick<StreamSource, 'isBroken' | 'breakOff'>,
  ) {
    super({ readableObjectMode: true, readableHighWaterMark: 4 });
    this.document = new EventsDocument(maxEventBytes);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.advance(() => {
      for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
        const { text, isValid } = this.utf8.decode(chunk.subarray(start, start + PIECE_BYTES));
        this.document.write(text);
        if (!isValid) throw malformed('The document is not valid UTF-8. Send it in UTF-8.');
      }
    }, done);
  }

  override _flush(done: TransformCallback): void {
    if (this.source.isBroken) return done(); // cut short for another reason; the document may have no end
    this.advance(() => {
      if (!this.utf8.isComplete) throw malformed('The document ends in the middle of a UTF-8 character.');
      this.document.end();
    }, done);
  }

  private advance(parse: () => void, done: TransformCallback): void {
    if (this.faulted) return done();
    try {
      parse();
    } catch (error) {
      if (!(error instanceof Problem)) return done(error as Error);
      this.faulted = true;
      this.source.breakOff(error);
    }
    const events = this.document.take();
    done(null, events.length > 0 ? events.map((json) => this.record(json)) : undefined);
  }

  private record(json: string | undefined): StreamRecord {
    this.count += 1;
    if (json !== undefined) return { number: this.count, bytes: Buffer.from(json) };
    this.tooLong ??= Buffer.alloc(this.maxEventBytes + 1, ' ');
    return { number: this.count, bytes: this.tooLong };
  }
}

/** Private fields of saxes: what it buffers until the next tag. `forget` clears them to bound memory. */
interface Gathering {
  text: string;
  name: string;
}

/** Reads a root of any name with <event> elements. Gives the JSON text of each event; undefined if it is too large. */
class EventsDocument {
  private readonly parser = new SaxesParser({ xmlns: false, fragment: false });
  private readonly maxGap: number;
  private events: (string | undefined)[] = [];
  /** The event being read; undefined between events and for an event that is too large to keep. */
  private event: EventElement | undefined;
  private depth = 0;
  private attributes = 0;
  /** Position in UTF-16 code units, of which there are never more than bytes. prepareEvent checks the size in bytes. */
  private eventStart = 0;
  /** Characters written so far; saxes' own position is valid only inside write(). */
  private written = 0;
  private completedAt = -1;
  private lastStep = 0;

  constructor(private readonly maxEventBytes: number) {
    this.maxGap = Math.max(4 * maxEventBytes, MIN_GAP);
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
    this.parser.write(text);
    this.written += text.length;
    this.forget();
    this.boundGap(this.written);
  }

  /** @throws Problem `malformed-body` when the document is incomplete */
  end(): void {
    this.parser.close();
  }

  take(): (string | undefined)[] {
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
    this.eventStart = this.parser.position - name.length - 2; // `<` and the character that ended the name
  }

  private countAttribute(): void {
    this.attributes += 1;
    if (this.attributes > MAX_ATTRIBUTES) this.refuse(`An element has more than ${MAX_ATTRIBUTES} attributes.`);
  }

  private opened(name: string, attributes: Record<string, string>): void {
    this.step();
    if (this.depth === 2) this.event = this.isTooLarge(this.parser.position) ? undefined : new EventElement(attributes);
    else this.event?.openElement(name, attributes);
  }

  private closed(): void {
    this.step();
    this.depth -= 1;
    if (this.depth > 1) this.event?.closeElement();
    if (this.depth !== 1) return;
    this.events.push(this.isTooLarge(this.parser.position) ? undefined : this.event?.toJson());
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

  private isTooLarge(position: number): boolean {
    return position - this.eventStart > this.maxEventBytes;
  }

  /** Drops an event that is too large, and the text, CDATA or comment of it that saxes has buffered. */
  private forget(): void {
    if (this.depth < 2 || !this.isTooLarge(this.written)) return;
    this.event = undefined;
    const gathering = this.parser as unknown as Gathering;
    if (gathering.text === '' || gathering.name !== '') return; // inside a tag, this is the value of an attribute
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

function malformed(message: string): Problem {
  return new Problem('malformed-body', message);
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
