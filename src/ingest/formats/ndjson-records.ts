import { Transform, type TransformCallback } from 'node:stream';
import { isSpace } from '../../event/json/white-space';
import type { PrepareResult } from '../../event/prepare-event';

/** One raw element of a stream, before validation. Records are numbered from 1; blank lines are skipped. */
export interface StreamRecord {
  number: number;
  bytes: Buffer;
}

/** A record with its prepared event, or with its rejection. */
export interface PreparedRecord {
  number: number;
  made: PrepareResult;
}

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Splits bytes into arrays of records, one array per chunk that completes any. (Single records would cost one stream
 * event each.) Works on bytes, so a character that spans two chunks stays intact. A line longer than `maxLineBytes` is
 * cut just beyond the limit, which bounds memory and still lets the next stage see that it is too long.
 */
export class NdjsonRecords extends Transform {
  private partial: Buffer[] = [];
  private partialBytes = 0;
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
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.keep(chunk.subarray(start, end));
      this.endLine(records);
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
    done(null, records.length > 0 ? records : undefined);
  }

  override _flush(done: TransformCallback): void {
    const records: StreamRecord[] = [];
    if (!this.isCutShort()) this.endLine(records);
    done(null, records.length > 0 ? records : undefined);
  }

  private keep(part: Buffer): void {
    const bom = this.atStart ? BOM.length : 0;
    const room = this.maxLineBytes + 2 + bom - this.partialBytes; // one byte beyond the limit; CR and BOM do not count
    if (part.length === 0 || room <= 0) return;
    const kept = part.length > room ? part.subarray(0, room) : part;
    this.partial.push(kept);
    this.partialBytes += kept.length;
  }

  private endLine(records: StreamRecord[]): void {
    let line = this.partial.length === 1 ? (this.partial[0] as Buffer) : Buffer.concat(this.partial);
    this.partial = [];
    this.partialBytes = 0;
    if (line.at(-1) === CR) line = line.subarray(0, -1);
    if (this.atStart && line.subarray(0, 3).equals(BOM)) line = line.subarray(3);
    this.atStart = false;
    if (isBlankLine(line)) return;
    this.count += 1;
    records.push({ number: this.count, bytes: line });
  }
}

/** True when the bytes contain only white space. */
export function isBlankLine(bytes: Buffer): boolean {
  for (const byte of bytes) if (!isSpace(byte)) return false;
  return true;
}

/** Turns arrays of records into arrays of prepared records. */
export class PrepareRecords extends Transform {
  constructor(private readonly prepare: (record: StreamRecord) => PreparedRecord['made']) {
    super({ objectMode: true, highWaterMark: 4 });
  }

  override _transform(records: StreamRecord[], _encoding: BufferEncoding, done: TransformCallback): void {
    const prepared: PreparedRecord[] = records.map((record) => ({ number: record.number, made: this.prepare(record) }));
    done(null, prepared);
  }
}
