import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { BufferBudget } from '../../runtime/buffer-budget';
import { contentDecoder, windowBytes } from './content-decoder';
import type { Decode } from './decode-body';

/** Most bodies are decoded within milliseconds, so a short wait is kinder than a refusal. */
const MAX_WAIT_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

/**
 * Counts the decompressors of this process, each of which holds up to 16 MiB. At most MAX_DECOMPRESSORS are open at a
 * time. Further bodies wait for one, in turn, and then are refused.
 */
@Injectable()
export class Decoders {
  private open = 0;
  /** In order of arrival. There are at most as many as open connections. */
  private readonly waiting = new Set<() => void>();

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly buffers: BufferBudget,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Returns what decodes a Content-Encoding, or undefined when there is nothing to decode. It throws Problem `overloaded`
   * when this process has no decompressor or no memory for it.
   * @param owner the tenant
   * @param keptBytes how many decoded bytes the reader keeps, at most
   * @throws Problem `unsupported-content-encoding`
   */
  decoder(header: string | undefined, owner: string, keptBytes = 0): Decode | undefined {
    const decode = contentDecoder(header);
    if (!decode) return undefined;
    const maxBytes = windowBytes(header) + keptBytes;
    return (encoded, onConsumed) => this.limited(decode(encoded, onConsumed), maxBytes, owner);
  }

  private async *limited(decoded: AsyncGenerator<Buffer>, maxBytes: number, owner: string): AsyncGenerator<Buffer> {
    await this.take();
    const hold = this.buffers.open(owner);
    let bytes = 0;
    try {
      for await (const part of decoded) {
        // Its window, and what the reader keeps, fill with what was decoded.
        const more = Math.min(part.length, maxBytes - bytes);
        if (more > 0 && !hold.grow(more)) throw this.refused('buffers');
        bytes += Math.max(0, more);
        yield part;
      }
    } finally {
      hold.release();
      this.giveBack();
    }
  }

  private async take(): Promise<void> {
    if (this.open < this.settings.MAX_DECOMPRESSORS) return this.opened();
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        clearTimeout(deadline);
        resolve();
      };
      const deadline = setTimeout(() => {
        this.waiting.delete(go);
        reject(this.refused('decompressors'));
      }, MAX_WAIT_MS);
      this.waiting.add(go);
    });
  }

  private opened(): void {
    this.open += 1;
    this.metrics.decompressorsOpen.set(this.open);
  }

  /** Hands the place to who has waited longest. */
  private giveBack(): void {
    const [next] = this.waiting;
    if (next) {
      this.waiting.delete(next);
      return next();
    }
    this.open -= 1;
    this.metrics.decompressorsOpen.set(this.open);
  }

  private refused(reason: 'decompressors' | 'buffers'): Problem {
    if (reason === 'decompressors') this.metrics.bodiesRefused.inc({ reason });
    const detail = 'Too many encoded bodies are being received. Send it again later, or without a Content-Encoding.';
    return new Problem('overloaded', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}
