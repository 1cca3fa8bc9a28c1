import { Transform, type TransformCallback } from 'node:stream';
import { areBlank, isSpace } from '../../event/json/white-space';
import { LongRecord, type WholeRecord } from './long-record';
import type { Namespaces } from './xml-namespaces';

/**
 * One raw element of a stream, before validation. Records are numbered from 1. Blank lines are skipped, and so are lines
 * of only a BOM, which files have that were joined.
 */
export interface StreamRecord {
  number: number;
  bytes: Buffer;
  /** Size and text of the record as it was sent, where `bytes` was converted from another format. */
  receivedBytes?: number;
  receivedText?: string;
  /** Namespace declarations of the root that an XML <event> was in. */
  namespaces?: Namespaces | undefined;
  /** Size and digest of a record that is too long, of which only the beginning is at hand. */
  whole?: WholeRecord | undefined;
}

// Local constants: in CommonJS an imported constant is a property read.
const LF = 0x0a;
const CR = 0x0d;
const BOM_BYTES = 3;

/**
 * Splits bytes into arrays of records, one array per chunk that completes any. (Single records would cost one stream
 * event each.) Works on bytes, so a character that spans two chunks stays intact. A line longer than `maxLineBytes` is
 * cut just beyond the limit, which bounds memory and still lets the next stage see that it is too long.
 */
export class NdjsonRecords extends Transform {
  private partial: Buffer[] = [];
  private partialBytes = 0;
  /** True when non-blank bytes beyond the limit were dropped. */
  private cutShort = false;
  /** The current line, if it is too long to be held. */
  private long: LongRecord | undefined;
  private count = 0;
  private atStart = true;

  /** @param isCutShort returns true when the stream broke off; its last line may be incomplete and is then dropped */
  constructor(
    private readonly maxLineBytes: number,
    private readonly isCutShort: () => boolean,
  ) {
    super({ readableObjectMode: true, readableHighWaterMark: 4 });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const records: StreamRecord[] = [];
    let start = this.afterBlankLines(chunk, 0);
    for (let end = chunk.indexOf(LF, start); end !== -1; end = chunk.indexOf(LF, start)) {
      this.keep(chunk.subarray(start, end));
      this.endLine(records);
      start = this.afterBlankLines(chunk, end + 1);
    }
    this.keep(chunk.subarray(start));
    done(null, records.length > 0 ? records : undefined);
  }

  override _flush(done: TransformCallback): void {
    const records: StreamRecord[] = [];
    if (!this.isCutShort()) this.endLine(records);
    done(null, records.length > 0 ? records : undefined);
  }

  /**
   * Returns where the first line that is not blank begins. Making a line of each blank one took 200 ns for a line feed;
   * a body of 16 MB kept the process busy for seconds.
   */
  private afterBlankLines(chunk: Buffer, from: number): number {
    if (this.partialBytes > 0) return from; // in the middle of a line
    let start = from;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === LF) {
        start = at + 1;
        this.atStart = false;
      } else if (at === start && isBomAt(chunk, at)) at += BOM_BYTES - 1;
      else if (!isSpace(byte)) return start;
    }
    return start;
  }

  private keep(part: Buffer): void {
    if (part.length === 0) return;
    const bom = this.atStart ? BOM_BYTES : 0;
    // One byte beyond the limit; CR and BOM do not count.
    const room = Math.max(0, this.maxLineBytes + 2 + bom - this.partialBytes);
    const kept = part.length > room ? part.subarray(0, room) : part;
    if (kept.length > 0) {
      this.partial.push(kept);
      this.partialBytes += kept.length;
    }
    if (kept.length < part.length) this.leaveOut(part.subarray(room));
  }

  private leaveOut(rest: Buffer): void {
    this.cutShort ||= !areBlank(rest);
    if (!this.long) {
      this.long = new LongRecord((bytes) => (bytes.at(-1) === CR ? 1 : 0));
      const line = Buffer.concat(this.partial);
      this.long.add(this.atStart ? withoutBom(line) : line);
    }
    this.long.add(rest);
  }

  private endLine(records: StreamRecord[]): void {
    let line = this.partial.length === 1 ? (this.partial[0] as Buffer) : Buffer.concat(this.partial);
    const { atStart, cutShort, long } = this;
    this.partial = [];
    this.long = undefined;
    this.partialBytes = 0;
    this.cutShort = false;
    this.atStart = false;
    if (!cutShort && areBlank(withoutBom(line))) return;
    if (line.at(-1) === CR) line = line.subarray(0, -1);
    if (atStart) line = withoutBom(line);
    this.count += 1;
    records.push({ number: this.count, bytes: line, whole: long?.end() });
  }
}

function withoutBom(line: Buffer): Buffer {
  return isBomAt(line, 0) ? line.subarray(BOM_BYTES) : line;
}

function isBomAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
}
