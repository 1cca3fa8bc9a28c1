import type { Transform } from 'node:stream';
import { Problem } from '../../event/problems';

/** One of Node's decompression streams. `bytesWritten` counts the bytes that it has consumed. */
export type Decompressor = Transform & { readonly bytesWritten: number };

/** The codes that zlib, Brotli and Zstandard report for invalid or truncated input. Others, as for memory, are ours. */
const DECODING_ERROR = /^(Z_(DATA_ERROR|BUF_ERROR|NEED_DICT)$|ERR__ERROR_(FORMAT|COMPOUND|DICT)|ZSTD_error_(?!memory))/;

/**
 * Runs one decompression stream chunk by chunk. Unlike a pipe, it notices when the stream ends before its input does.
 * It decodes only as fast as the output is read.
 */
export class NativeDecoder {
  /** Bytes given to the decompressor. It consumes them all, unless the compressed data ends among them. */
  private written = 0;
  private failure: (Error & { code?: string }) | undefined;
  private isDone = false;
  private wake: () => void = () => undefined;

  /**
   * @param coding the name for messages, such as `gzip`
   * @param onConsumed called before each part is yielded, with how many bytes the decompressor has consumed
   */
  constructor(
    private readonly coding: string,
    private readonly decompressor: Decompressor,
    private readonly onConsumed?: (bytes: number) => void,
  ) {
    decompressor
      .on('readable', () => this.wake())
      .on('end', () => this.done())
      .on('error', (error) => this.done(error));
  }

  get consumed(): number {
    return this.decompressor.bytesWritten;
  }

  /** True when the compressed data ended before the last byte of the chunk. There must be no further call then. */
  get hasEnded(): boolean {
    return this.consumed < this.written;
  }

  /** @throws Problem `malformed-body` */
  async *decode(chunk: Buffer): AsyncGenerator<Buffer> {
    if (chunk.length === 0) return; // zlib would take an empty chunk for a truncated stream
    const start = this.written;
    this.written += chunk.length;
    this.isDone = false;
    this.decompressor.write(chunk, (error) => this.done(error));
    yield* this.output(`between its bytes ${start} and ${this.written}`);
  }

  /** Yields what is left. @throws Problem `malformed-body` when the compressed data is incomplete */
  async *finish(): AsyncGenerator<Buffer> {
    this.isDone = false;
    this.decompressor.end();
    yield* this.output(`after its last byte, ${this.written}`);
  }

  /** Releases the native memory. */
  destroy(): void {
    this.decompressor.destroy();
  }

  private async *output(where: string): AsyncGenerator<Buffer> {
    for (;;) {
      const part = this.decompressor.read() as Buffer | null;
      if (part !== null) {
        this.onConsumed?.(this.consumed);
        yield part;
      } else if (this.isDone) break;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
    if (this.failure) throw this.problemOf(this.failure, where);
  }

  private done(error?: Error | null): void {
    this.isDone = true;
    if (error) this.failure ??= error;
    this.wake();
  }

  private problemOf(error: Error & { code?: string }, where: string): Error {
    if (!DECODING_ERROR.test(error.code ?? '')) return error;
    return error.code === 'Z_BUF_ERROR' ? truncated(this.coding, this.written) : undecodable(this.coding, where, error);
  }
}

export function truncated(coding: string, length: number): Problem {
  return new Problem('malformed-body', `The ${coding} data of the body is incomplete. It ends after ${length} bytes.`);
}

export function undecodable(coding: string, where: string, { message }: { message: string }): Problem {
  return new Problem('malformed-body', `The body does not match its Content-Encoding ${coding} ${where}: ${message}.`);
}
