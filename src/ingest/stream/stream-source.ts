import type { Readable } from 'node:stream';
import { Problem } from '../../event/problems';
import { bodyChunks, NO_PAUSE, type Pause } from '../../http/request-body';
import type { Decode } from './decode-body';

/** Encoded bytes that a stream may have beyond STREAM_MAX_BYTES: data that cannot be compressed becomes a bit longer. */
const MAX_ENCODING_OVERHEAD = { part: 0.1, bytes: 65_536 };

/**
 * The decoded bytes of one request. When a stream breaks off (too large, stalled, malformed, wrong encoding, or the
 * client disconnects), the source ends instead of failing the pipeline. An error would destroy the later stages while
 * they commit records, and those records would be stored but not reported (I14).
 */
export class StreamSource {
  /** Decompressed bytes so far. */
  bytes = 0;
  /** Why the stream broke off; undefined if it did not. */
  brokenBy: Problem | undefined;

  /** Ends the wait for the next chunk. Otherwise this process would wait for a sender that waits for the response. */
  private endWait: () => void = () => undefined;

  constructor(
    private readonly body: Readable,
    private readonly decode: Decode | undefined,
    private readonly limits: { STREAM_MAX_BYTES: number; REQUEST_STALL_TIMEOUT_MS: number },
    private readonly pace: Pause = NO_PAUSE,
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
        const next = await this.nextOf(chunks);
        if (next === 'broken' || next.done) return;
        const room = limit - this.bytes;
        this.bytes += next.value.length;
        yield next.value.length > room ? next.value.subarray(0, room) : next.value;
        if (this.bytes > limit)
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
  private nextOf(chunks: AsyncIterator<Buffer, unknown>): Promise<IteratorResult<Buffer, unknown> | 'broken'> {
    return new Promise((resolve, reject) => {
      this.endWait = () => resolve('broken');
      chunks.next().then(resolve, reject);
    });
  }

  private decoded(): AsyncGenerator<Buffer> {
    const chunks = bodyChunks(this.body, this.limits.REQUEST_STALL_TIMEOUT_MS, this.pace);
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
