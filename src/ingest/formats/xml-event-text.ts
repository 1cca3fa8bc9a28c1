import { createHash, type Hash } from 'node:crypto';
import type { WholeRecord } from './long-record';

/** The start of a tag may be in earlier pieces than its end. */
const TAIL = 64;

/** The text of an <event> as it was received, or the beginning of a longer one. */
export interface ReceivedText {
  text: string;
  whole?: WholeRecord | undefined;
}

/**
 * Follows the text of a document, which comes in pieces, and cuts out each <event>. Positions are those of characters in
 * the document. An event of more than `maxLength` characters is not held: only its beginning, and a running digest.
 */
export class XmlEventText {
  private piece = '';
  /** Position of the piece. */
  private start = 0;
  /** The characters before the piece. */
  private tail = '';
  /** Where the current event begins; undefined between events. */
  private from: number | undefined;
  /** The text of the current event before the piece. */
  private held = '';
  private hash: Hash | undefined;
  private hashedBytes = 0;

  constructor(private readonly maxLength: number) {}

  add(piece: string): void {
    if (this.from !== undefined) this.hold(this.piece.slice(Math.max(0, this.from - this.start)));
    this.tail = (this.piece.length < TAIL ? this.tail + this.piece : this.piece).slice(-TAIL);
    this.start += this.piece.length;
    this.piece = piece;
  }

  beginEvent(position: number): void {
    this.from = position;
    this.held = position < this.start ? this.tail.slice(position - this.start) : '';
    this.hash = undefined;
  }

  endEvent(position: number): ReceivedText {
    const rest = this.piece.slice(Math.max(0, (this.from as number) - this.start), position - this.start);
    this.from = undefined;
    if (!this.hash) return { text: this.held === '' ? rest : this.held + rest };
    this.addToHash(rest);
    return { text: this.held, whole: { sizeBytes: this.hashedBytes, digest: this.hash.digest() } };
  }

  private hold(text: string): void {
    if (this.hash) return this.addToHash(text);
    this.held += text;
    if (this.held.length <= this.maxLength) return;
    this.hash = createHash('sha256');
    this.hashedBytes = 0;
    this.addToHash(this.held);
  }

  private addToHash(text: string): void {
    const bytes = Buffer.from(text);
    this.hash?.update(bytes);
    this.hashedBytes += bytes.length;
  }
}
