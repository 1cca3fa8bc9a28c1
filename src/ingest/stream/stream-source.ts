import { pipeline, Readable, type Transform } from 'node:stream';
import { Problem } from '../../event/problems';
import { bodyChunks } from '../../http/request-body';
import { isDecodingError } from './content-decoder';

/**
 * The decoded bytes of one request. Whatever breaks a stream (it is too large, stalls, is malformed, does not match its
 * encoding, or the client hangs up) ends the source instead of failing the pipeline. An error would destroy the later
 * stages with records that are being committed; these would be stored but not reported (I14).
 */
export class StreamSource {
  /** Decompressed bytes so far. */
  bytes = 0;
  /** Why the stream ended before its end. */
  brokenBy: Problem | undefined;

  /** Ends the wait for the next chunk, so that we do not wait for a sender that waits for the response. */
  private endWait: () => void = () => undefined;

  constructor(
    private readonly body: Readable,
    private readonly decoder: Transform | undefined,
    private readonly limits: { STREAM_MAX_BYTES: number; REQUEST_STALL_TIMEOUT_MS: number },
  ) {}

  get isBroken(): boolean {
    return this.brokenBy !== undefined;
  }

  /** For the stages. Nothing more is read; what was read before is still processed. */
  breakOff(problem: Problem): void {
    this.brokenBy ??= problem;
    this.endWait();
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const limit = this.limits.STREAM_MAX_BYTES;
    const chunks = this.decoded()[Symbol.asyncIterator]();
    try {
      while (!this.isBroken) {
        const next = await this.nextOf(chunks);
        if (next === 'broken' || next.done) return;
        const room = limit - this.bytes;
        this.bytes += next.value.length;
        yield next.value.length > room ? next.value.subarray(0, room) : next.value;
        if (this.bytes > limit) this.breakOff(new Problem('stream-too-large', `A stream may have ${limit} bytes.`));
      }
    } catch (error) {
      this.breakOff(problemOfBody(error));
    }
  }

  /** Not Promise.race with one promise for the whole stream: that would keep every chunk it ever raced against. */
  private nextOf(chunks: AsyncIterator<Buffer, unknown>): Promise<IteratorResult<Buffer, unknown> | 'broken'> {
    return new Promise((resolve, reject) => {
      this.endWait = () => resolve('broken');
      chunks.next().then(resolve, reject);
    });
  }

  private decoded(): AsyncIterable<Buffer> {
    const chunks = bodyChunks(this.body, this.limits.REQUEST_STALL_TIMEOUT_MS);
    if (!this.decoder) return chunks;
    // Its failures reach us through the decoder, which the pipeline destroys with them.
    return pipeline(Readable.from(chunks), this.decoder, () => undefined);
  }
}

/** The client hung up, or what it sent cannot be decoded. */
function problemOfBody(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const why = isDecodingError(error) ? 'is not what its Content-Encoding says' : 'broke off before its end';
  return new Problem('malformed-body', `The body ${why}.`);
}
