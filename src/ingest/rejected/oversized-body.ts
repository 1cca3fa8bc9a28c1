import { createHash } from 'node:crypto';
import { Problem } from '../../event/problems';
import type { WholeRecord } from '../formats/long-record';

/**
 * How much of an event that is too large is read to measure it, in multiples of MAX_EVENT_BYTES. What is larger still is
 * hardly an event, and would cost as much as many of them.
 */
export const MAX_MEASURED_EVENTS = 16;

/** Codes of a request whose connection broke. */
const BROKEN = ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

/** The first bytes of a body, and what is known of all of them. */
export interface MeasuredBody {
  bytes: Buffer;
  whole: WholeRecord;
}

/** The decoded body of a request with one event that is larger than MAX_EVENT_BYTES. */
export class OversizedBody {
  /**
   * @param beginning what was read already
   * @param announcedBytes the size, or NaN where it is not known
   */
  constructor(
    private readonly beginning: readonly Buffer[],
    private readonly rest: AsyncGenerator<Buffer>,
    private readonly announcedBytes = Number.NaN,
  ) {}

  /**
   * Reads the body to its end. Holds `maxBytes` bytes and no more, however the body arrives. Returns undefined when it is
   * too large even for this, when it does not arrive, and when the tenant may not send so much.
   * @throws Problem `expansion-too-large`
   * @param charge charges the tenant for further bytes; the first `maxBytes` are charged already
   */
  async measure(maxBytes: number, charge: (bytes: number) => Promise<boolean>): Promise<MeasuredBody | undefined> {
    const most = maxBytes * MAX_MEASURED_EVENTS;
    if (this.announcedBytes > most) return undefined;
    const bytes = Buffer.alloc(maxBytes);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    let chargedBytes = maxBytes;
    try {
      for await (const chunk of this.chunks()) {
        chunk.copy(bytes, sizeBytes); // only as far as there is room
        hash.update(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > most) return undefined;
        for (; chargedBytes < sizeBytes; chargedBytes += maxBytes) if (!(await charge(maxBytes))) return undefined;
      }
    } catch (error) {
      if (!isOfSender(error) || isExpansion(error)) throw error;
      return undefined; // the response says that the event is too large, whatever else is wrong with it
    }
    return { bytes: bytes.subarray(0, sizeBytes), whole: { sizeBytes, digest: hash.digest() } };
  }

  /** Releases the memory of its decoder, if the body is not read to its end. Not awaited: it may wait for the sender. */
  release(): void {
    void this.rest.return(undefined);
  }

  private async *chunks(): AsyncGenerator<Buffer> {
    yield* this.beginning;
    yield* this.rest;
  }
}

const isExpansion = (error: unknown): boolean => error instanceof Problem && error.code === 'expansion-too-large';

/** True when the sender is at fault: the body stalls, breaks off or cannot be decoded. */
function isOfSender(error: unknown): boolean {
  return error instanceof Problem || (error instanceof Error && 'code' in error && BROKEN.includes(String(error.code)));
}
