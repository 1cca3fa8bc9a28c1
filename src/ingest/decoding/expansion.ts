import { Problem } from '../../event/problems';
import type { Decode } from './decode-body';

/** Maximum number of decoded bytes per encoded byte. Real events rarely reach it, even when they are very similar. */
export const MAX_EXPANSION_RATIO = 200;
const MIN_FREE_BYTES = 1_048_576;
/** An event may be larger than MIN_FREE_BYTES and yields nothing before its end. */
const FREE_EVENTS = 4;
/** A rejected record costs as much as decoding this many bytes: it is read, described and kept. */
const BYTES_PER_REJECTED = 1_024;
/** A rejected record counts as this many bytes in the ratio, which a file of ordinary records of a wrong kind survives. */
const RATIO_BYTES_PER_REJECTED = 128;
/** What is decided at a time while a body expands: a part of a decoder may hold many thousands of records. */
const DECIDED_BYTES = 8_192;

/**
 * Rejects an encoded body that expands without yielding events. A few bytes of Brotli can decode to gigabytes of line
 * feeds. Since the last accepted event, at most MAX_EXPANSION_RATIO decoded bytes are allowed per encoded byte. The first
 * MIN_FREE_BYTES, or FREE_EVENTS events of the largest size if that is more, are exempt; rejected records use up more of
 * them than their bytes, or a megabyte of one-letter records would be half a million rejections.
 */
export class Expansion {
  /** Bytes so far, and when an event was last accepted. The decoder may be a little ahead of both. */
  private encodedBytes = 0;
  private decodedBytes = 0;
  private encodedBefore = 0;
  private decodedBefore = 0;
  private rejectedSince = 0;
  private decidedBytes = DECIDED_BYTES;
  private undecidedBytes = 0;
  /** Of what was decided last. */
  private hasAccepted = false;
  private hasRejected = false;
  private readonly freeBytes: number;
  private readonly repeated = new RepeatedEvents();
  /** Resolves when it is known what the records read so far have yielded. */
  whenDecided: () => Promise<void> = () => Promise.resolve();

  constructor(maxEventBytes: number) {
    this.freeBytes = Math.max(MIN_FREE_BYTES, FREE_EVENTS * maxEventBytes);
  }

  /** Returns the decoder with this limit. It throws Problem `expansion-too-large`. */
  bound(decode: Decode): Decode {
    return (encoded) => this.watched(decode(encoded, (bytes) => (this.encodedBytes = bytes)));
  }

  /** An event was stored: the bytes so far are paid for. */
  accepted(): void {
    this.encodedBefore = this.encodedBytes;
    this.decodedBefore = this.decodedBytes;
    this.rejectedSince = 0;
    this.hasAccepted = true;
  }

  rejected(): void {
    this.rejectedSince += 1;
    this.hasRejected = true;
  }

  /** A stream that is sent again yields what it did the first time. The same event again and again yields nothing. */
  duplicate(id: string): void {
    if (this.repeated.isNew(id)) this.accepted();
  }

  private async *watched(decoded: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const part of decoded) {
      this.decodedBytes += part.length;
      if (this.expands) yield* this.decidedInParts(part);
      else yield part;
    }
  }

  private async *decidedInParts(part: Buffer): AsyncGenerator<Buffer> {
    for (let rest = part; rest.length > 0;) {
      if (this.undecidedBytes >= this.decidedBytes || this.isTooLarge) {
        await this.whenDecided();
        if (this.isTooLarge) throw this.problem();
        this.adapt();
      }
      const next = rest.subarray(0, this.decidedBytes - this.undecidedBytes);
      this.undecidedBytes += next.length;
      rest = rest.subarray(next.length);
      yield next;
    }
  }

  /** Decides twice as much at a time while events are accepted and none is rejected: they pay for what may follow. */
  private adapt(): void {
    if (this.hasRejected) this.decidedBytes = DECIDED_BYTES;
    else if (this.hasAccepted) this.decidedBytes = Math.min(2 * this.decidedBytes, this.freeBytes);
    this.undecidedBytes = 0;
    this.hasAccepted = false;
    this.hasRejected = false;
  }

  private get expands(): boolean {
    const cost = this.decodedBytes - this.decodedBefore + RATIO_BYTES_PER_REJECTED * this.rejectedSince;
    return cost > MAX_EXPANSION_RATIO * (this.encodedBytes - this.encodedBefore);
  }

  private get isTooLarge(): boolean {
    const cost = this.decodedBytes - this.decodedBefore + BYTES_PER_REJECTED * this.rejectedSince;
    return this.expands && cost > this.freeBytes;
  }

  private problem(): Problem {
    const decoded = this.decodedBytes - this.decodedBefore;
    const encoded = this.encodedBytes - this.encodedBefore;
    return new Problem(
      'expansion-too-large',
      `The last ${encoded} encoded bytes stand for ${decoded}, with ${this.rejectedSince} rejected records and no accepted event among them. Send the body without filler and without such records.`,
    );
  }
}

/** Bits of the filter, and how many may be set before it is emptied: at a quarter, it knows three of four new events. */
const BITS = 65_536;
const MOST_SET = BITS / 4;

/** Tells events that a stream has named before from new ones, roughly, in 8 KiB. */
class RepeatedEvents {
  private bits: Uint8Array | undefined;
  private set = 0;

  /** False for an event that was named before, and for some others. */
  isNew(id: string): boolean {
    const bit = parseInt(id.slice(-4), 16) & (BITS - 1); // random in a UUIDv7
    this.bits ??= new Uint8Array(BITS / 8);
    const mask = 1 << (bit & 7);
    if (((this.bits[bit >> 3] as number) & mask) !== 0) return false;
    if (this.set === MOST_SET) {
      this.bits.fill(0);
      this.set = 0;
    }
    this.bits[bit >> 3] = (this.bits[bit >> 3] as number) | mask;
    this.set += 1;
    return true;
  }
}
