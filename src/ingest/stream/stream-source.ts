import type { Readable } from 'node:stream';
import { Problem } from '../../event/problems';
import { bodyChunks, NO_PAUSE, type Pause } from '../../http/request-body';
import type { Decode } from '../decoding/decode-body';
import { notTooSlow, type Progress } from './not-too-slow';

/** Encoded bytes that a stream may have beyond STREAM_MAX_BYTES: data that cannot be compressed becomes a bit longer. */
const MAX_ENCODING_OVERHEAD = { part: 0.1, bytes: 65_536 };

/** Paces the source to a limit of bytes. */
export interface BytePace extends Pause {
  readonly limitsBytes: boolean;
  /** Charges up to `wanted` bytes, waits while the limit is used up, and returns how many were charged. */
  chargeBytes: (wanted: number) => Promise<number>;
}

interface SourceLimits {
  STREAM_MAX_BYTES: number;
  REQUEST_STALL_TIMEOUT_MS: number;
  /** 0 or without it: no limit. */
  STREAM_MIN_BYTES_PER_SECOND?: number;
}

const NO_PACE: BytePace = { ...NO_PAUSE, limitsBytes: false, chargeBytes: (wanted) => Promise.resolve(wanted) };

/**
 * The decoded bytes of one request. When a stream breaks off (too large, stalled, malformed, wrong encoding, or the
 * client disconnects), the source ends instead of failing the pipeline. An error would destroy the later stages while
 * they commit records, and those records would be stored but not reported (I14).
 */
export class StreamSource {
  /** Decompressed bytes that were passed on, and those that were too many. */
  bytes = 0;
  /** Why the stream broke off; undefined if it did not. */
  brokenBy: Problem | undefined;

  /** Ends the wait that goes on. Otherwise this process would wait for a sender that waits for the response. */
  private endWait: () => void = () => undefined;

  constructor(
    private readonly body: Readable,
    private readonly decode: Decode | undefined,
    private readonly limits: SourceLimits,
    private readonly pace: BytePace = NO_PACE,
    /** The time in which records of this stream were in hand. */
    private readonly inHand: Progress = { ...NO_PAUSE, total: 0 },
  ) {}

  get isBroken(): boolean {
    return this.brokenBy !== undefined;
  }

  /** Called by the stages. Nothing more is read; chunks that were read before are still processed. */
  breakOff(problem: Problem): void {
    this.brokenBy ??= problem;
    this.endWait();
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const limit = this.limits.STREAM_MAX_BYTES;
    const chunks = this.decoded();
    try {
      while (!this.isBroken) {
        const next = await this.unlessBroken(chunks.next());
        if (next === 'broken' || next.done) return;
        const room = limit - this.bytes;
        const isTooLong = next.value.length > room;
        for (let rest = isTooLong ? next.value.subarray(0, room) : next.value; rest.length > 0;) {
          const charged = this.pace.limitsBytes
            ? await this.unlessBroken(this.pace.chargeBytes(rest.length))
            : rest.length;
          if (charged === 'broken') return;
          this.bytes += charged;
          yield rest.subarray(0, charged);
          rest = rest.subarray(charged);
        }
        if (!isTooLong) continue;
        this.bytes += next.value.length - room;
        this.breakOff(
          new Problem('stream-too-large', `The decompressed stream is larger than the maximum of ${limit} bytes.`),
        );
      }
    } catch (error) {
      this.breakOff(problemOfBody(error));
    } finally {
      void chunks.return(undefined); // releases the decoder's memory; not awaited, since it may still wait for the sender
    }
  }

  /**
   * Does not use Promise.race with one promise for the whole stream, which would retain every chunk it raced against.
   */
  private unlessBroken<T>(work: Promise<T>): Promise<T | 'broken'> {
    return new Promise((resolve, reject) => {
      this.endWait = () => resolve('broken');
      work.then(resolve, reject);
    });
  }

  private decoded(): AsyncGenerator<Buffer> {
    const { REQUEST_STALL_TIMEOUT_MS: stallMs, STREAM_MIN_BYTES_PER_SECOND: minBytesPerSecond = 0 } = this.limits;
    const sent = bodyChunks(this.body, stallMs, this.pace);
    const chunks = minBytesPerSecond > 0 ? notTooSlow(sent, minBytesPerSecond, this.inHand) : sent;
    return this.decode ? this.decode(this.bounded(chunks)) : chunks;
  }

  /** Bounds encoded bytes too: a stream of empty gzip members, for example, never reaches the limit of decoded bytes. */
  private async *bounded(encoded: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { part, bytes: more } = MAX_ENCODING_OVERHEAD;
    const limit = Math.ceil(this.limits.STREAM_MAX_BYTES * (1 + part)) + more;
    let bytes = 0;
    for await (const chunk of encoded) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw new Problem('stream-too-large', `The encoded stream is larger than the maximum of ${limit} bytes.`);
      }
      yield chunk;
    }
  }
}

/** Returns the problem for a body that cannot be decoded or whose client disconnected. */
function problemOfBody(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('malformed-body', 'The body ended before it was complete.');
}
