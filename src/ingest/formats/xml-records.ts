import { Transform, type TransformCallback } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Problem } from '../../event/problems';
import type { StreamRecord } from './ndjson-records';
import type { StreamSource } from '../stream/stream-source';
import { Utf8Text } from './utf8-text';
import { EventsDocument, malformed } from './xml-document';

/**
 * Bytes to parse between two memory checks, and in one turn of the event loop. In 64 KiB, an event every 20 bytes took
 * 50 ms.
 */
const PIECE_BYTES = 16_384;

/**
 * Turns the bytes of an XML document into arrays of records, each with the JSON text of one <event>. An error in the
 * document ends the source instead of failing the pipeline, so the records before it are still stored and reported.
 */
export class XmlRecords extends Transform {
  private readonly utf8 = new Utf8Text();
  private readonly document: EventsDocument;
  private count = 0;
  private faulted = false;

  constructor(
    maxEventBytes: number,
    private readonly source: Pick<StreamSource, 'isBroken' | 'breakOff'>,
  ) {
    super({ readableObjectMode: true, readableHighWaterMark: 4 });
    this.document = new EventsDocument(maxEventBytes);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.readPieces(chunk).then(() => done(null, this.completed()), done);
  }

  override _flush(done: TransformCallback): void {
    if (this.source.isBroken) return done(); // cut short for another reason; the document may have no end
    this.advance(() => {
      if (!this.utf8.isComplete) throw malformed('The document ends in the middle of a UTF-8 character.');
      this.document.end();
    });
    done(null, this.completed());
  }

  private async readPieces(chunk: Buffer): Promise<void> {
    for (let start = 0; start < chunk.length && !this.faulted; start += PIECE_BYTES) {
      if (start > 0) await setImmediate();
      this.advance(() => this.readPiece(chunk.subarray(start, start + PIECE_BYTES)));
    }
  }

  private readPiece(bytes: Buffer): void {
    const { text, isValid } = this.utf8.decode(bytes);
    this.document.write(text);
    if (!isValid) throw malformed('The document is not valid UTF-8. Send it in UTF-8.');
  }

  /** Ends the source, but not this stage, when the document is malformed. */
  private advance(parse: () => void): void {
    try {
      parse();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.faulted = true;
      this.source.breakOff(error);
    }
  }

  private completed(): StreamRecord[] | undefined {
    const records = this.document.take().map(({ json, bytes, received, namespaces }): StreamRecord => {
      this.count += 1;
      const { text: receivedText, whole } = received;
      return { number: this.count, bytes: Buffer.from(json), receivedBytes: bytes, receivedText, whole, namespaces };
    });
    return records.length > 0 ? records : undefined;
  }
}
