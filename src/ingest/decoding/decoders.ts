import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { BufferBudget } from '../../runtime/buffer-budget';
import { contentDecoder } from './content-decoder';
import type { Decode } from './decode-body';
import { Window } from './window';

/** Most bodies are decoded within milliseconds, so a short wait often avoids a refusal. */
const MAX_WAIT_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;
/** What one tenant may have of them. */
const OWNER_SHARE = 1 / 2;

/**
 * Counts the decompressors of this process, each of which holds up to 16 MiB. At most MAX_DECOMPRESSORS are open at a
 * time. Further bodies wait for one, in turn, and then are refused.
 */
@Injectable()
export class Decoders {
  private open = 0;
  /** In order of arrival. There are at most as many as open connections. */
  private readonly waiting = new Set<() => void>();
  /** Decompressors that are open or waited for. Only owners that have some. */
  private readonly byOwner = new Map<string, number>();

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
    return (encoded, onConsumed) => {
      const window = new Window(header);
      const decoded = decode(window.seen(encoded), onConsumed);
      return this.limited(decoded, () => window.bytes + keptBytes, owner);
    };
  }

  private async *limited(
    decoded: AsyncGenerator<Buffer>,
    maxBytes: () => number,
    owner: string,
  ): AsyncGenerator<Buffer> {
    this.takeShare(owner);
    const hold = this.buffers.open(owner);
    let isOpen = false;
    let bytes = 0;
    try {
      await this.take();
      isOpen = true;
      for await (const part of decoded) {
        // Its window, and what the reader keeps, fill with what was decoded.
        const more = Math.min(part.length, maxBytes() - bytes);
        if (more > 0 && !hold.grow(more)) throw this.refused('buffers');
        bytes += Math.max(0, more);
        yield part;
      }
    } finally {
      hold.release();
      if (isOpen) this.giveBack();
      this.giveShareBack(owner);
    }
  }

  private takeShare(owner: string): void {
    const taken = this.byOwner.get(owner) ?? 0;
    if (taken >= Math.max(1, this.settings.MAX_DECOMPRESSORS * OWNER_SHARE)) throw this.refused('decompressors');
    this.byOwner.set(owner, taken + 1);
  }

  private giveShareBack(owner: string): void {
    const left = (this.byOwner.get(owner) ?? 0) - 1;
    if (left > 0) this.byOwner.set(owner, left);
    else this.byOwner.delete(owner);
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
    const detail =
      'Too many encoded bodies are being received. Send the request again later, or without a Content-Encoding.';
    return new Problem('overloaded', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}
