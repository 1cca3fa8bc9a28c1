import { Transform, type TransformCallback } from 'node:stream';
import { areBlank, isSpace } from '../../event/json/white-space';
import { Problem } from '../../event/problems';
import { LongRecord } from './long-record';
import type { StreamRecord } from './ndjson-records';
import type { StreamSource } from '../stream/stream-source';

// Local constants: in CommonJS an imported constant is a property read, which made this scan 6 % slower.
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * Splits one JSON array into arrays of records without holding the array in memory. It only finds where elements begin
 * and end; prepareEvent checks whether each of them is JSON. An element longer than `maxElementBytes` is cut one byte
 * beyond the limit, so that it is rejected alone.
 */
export class JsonArrayRecords extends Transform {
  private parts: Buffer[] = [];
  private partBytes = 0;
  /** True when non-blank bytes beyond the limit were dropped. */
  private cutShort = false;
  /** The current element, if it may be too long to be held. */
  private long: LongRecord | undefined;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private ended = false;
  private count = 0;
  private faulted = false;

  constructor(
    private readonly maxElementBytes: number,
    private readonly source: Pick<StreamSource, 'isBroken' | 'breakOff'>,
  ) {
    super({ readableObjectMode: true, readableHighWaterMark: 4 });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const records: StreamRecord[] = [];
    if (!this.faulted) this.scan(chunk, records);
    done(null, records.length > 0 ? records : undefined);
  }

  override _flush(done: TransformCallback): void {
    if (!this.ended && !this.source.isBroken) this.malformed('the closing bracket is missing');
    done();
  }

  private scan(chunk: Buffer, records: StreamRecord[]): void {
    let start = 0; // start of the current element's part in this chunk
    for (let i = 0; i < chunk.length && !this.faulted; i++) {
      const c = chunk[i] as number;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (c === BACKSLASH) this.escaped = true;
        else if (c === QUOTE) this.inString = false;
      } else if (this.depth === 0) {
        this.outside(c);
        start = i + 1;
      } else if (c === QUOTE) {
        this.inString = true;
      } else if (c === 0x5b || c === 0x7b) {
        this.depth += 1;
      } else if (c === 0x5d || c === 0x7d || c === COMMA) {
        if (c !== COMMA) this.depth -= 1;
        const endsElement = c === COMMA ? this.depth === 1 : this.depth === 0;
        if (!endsElement) continue;
        if (c === 0x7d) return this.malformed('it is closed by a brace');
        this.keep(chunk.subarray(start, i));
        this.endElement(records, c === COMMA);
        start = i + 1;
      }
    }
    if (this.depth > 0) this.keep(chunk.subarray(start));
  }

  /** Outside the array only white space is allowed, and a BOM before it. */
  private outside(c: number): void {
    const isBom = c === 0xef || c === 0xbb || c === 0xbf;
    if (isSpace(c)) return;
    if (this.ended) this.malformed('there is more after the closing bracket');
    else if (c === 0x5b) this.depth = 1;
    else if (!isBom) this.malformed('it does not begin with a bracket');
  }

  /** White space around an element does not count towards its limit: the array may be pretty-printed. */
  private keep(all: Buffer): void {
    const part = this.partBytes === 0 ? trimStart(all) : all;
    const room = this.maxElementBytes + 1 - this.partBytes;
    const kept = part.subarray(0, room);
    if (kept.length > 0) {
      this.parts.push(kept);
      this.partBytes += kept.length;
    }
    if (kept.length < part.length) this.leaveOut(part.subarray(room));
  }

  private leaveOut(rest: Buffer): void {
    this.cutShort ||= !areBlank(rest);
    if (!this.long) {
      this.long = new LongRecord((bytes) => bytes.length - trimEnd(bytes).length);
      this.long.add(Buffer.concat(this.parts));
    }
    this.long.add(rest);
  }

  private endElement(records: StreamRecord[], more: boolean): void {
    const whole = Buffer.concat(this.parts);
    const bytes = this.cutShort ? whole : trimEnd(whole);
    const long = this.cutShort ? this.long?.end() : undefined;
    this.long = undefined;
    this.parts = [];
    this.partBytes = 0;
    this.cutShort = false;
    this.ended = !more;
    if (bytes.length === 0) {
      if (more || this.count > 0) this.malformed('an element is missing'); // `[]` is valid; `[,]` and `[1,]` are not
      return;
    }
    this.count += 1;
    records.push({ number: this.count, bytes, whole: long });
  }

  private malformed(why: string): void {
    this.faulted = true;
    this.source.breakOff(new Problem('malformed-body', `The body is not a JSON array of events: ${why}.`));
  }
}

function trimStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length && isSpace(bytes[start] as number)) start += 1;
  return bytes.subarray(start);
}

function trimEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1] as number)) end -= 1;
  return bytes.subarray(0, end);
}
