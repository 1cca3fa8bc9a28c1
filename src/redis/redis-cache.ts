import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Mac } from '../integrity/mac';
import type { MacKeys } from '../integrity/mac-keys';
import type { Metrics } from '../observability/metrics';
import { isUnsignedFact, readSignedFact, signedFact } from './cached-fact';
import { IdempotencyCache, type CommittedEvent } from './idempotency-cache';

const PAUSE_AFTER_FAILURE_MS = 1_000;

/**
 * Redis adapter. Its keys contain the incarnation of the database, so a restored or new database starts empty. Redis is
 * not trusted: a value that this installation has not signed for its key is counted and treated as a miss. Without the
 * installation key, nothing is looked up or remembered.
 */
export class RedisCache extends IdempotencyCache {
  private readonly logger = new Logger('IdempotencyCache');
  private pausedUntilMs = 0;

  constructor(
    private readonly redis: Redis,
    private readonly incarnation: () => Promise<string>,
    private readonly ttlSeconds: number,
    private readonly metrics: Metrics,
    private readonly keys: MacKeys,
  ) {
    super();
  }

  async lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = new Map<string, CommittedEvent>();
    if (digests.length === 0) return found; // Redis rejects MGET without keys
    await this.unlessPaused(async (prefix, mac) => {
      const names = digests.map((digest) => prefix + digest);
      const texts = await this.redis.mget(names);
      let foreign = 0;
      texts.forEach((text, i) => {
        if (text === null) return;
        const committed = readSignedFact(names[i] as string, text, mac);
        if (committed) found.set(digests[i] as string, committed);
        else if (!isUnsignedFact(text)) foreign += 1;
      });
      if (foreign > 0) this.doubt(foreign);
    });
    return found;
  }

  async remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void> {
    await this.unlessPaused(async (prefix, mac) => {
      const commands = this.redis.pipeline();
      for (const { digest, committed } of facts) {
        const name = prefix + digest;
        commands.set(name, signedFact(name, committed, mac), 'EX', this.ttlSeconds);
      }
      const results = await commands.exec();
      const failed = results?.find(([error]) => error !== null);
      if (failed?.[0]) throw failed[0];
    });
  }

  async ping(): Promise<void> {
    await this.redis.ping();
  }

  close(): Promise<void> {
    this.redis.disconnect();
    return Promise.resolve();
  }

  /** They may be signed with a key that another process has stored lately: the next look-up knows it. */
  private doubt(values: number): void {
    this.metrics.foreignValues.inc({ place: 'cache' }, values);
    this.keys
      .reload()
      .catch((error: Error) => this.logger.debug(`could not read the installation key: ${error.message}`));
  }

  /** Treats a failure as a miss. Then skips Redis for a second, so that not every call waits for a dead server. */
  private async unlessPaused(work: (prefix: string, mac: Mac) => Promise<void>): Promise<void> {
    if (Date.now() < this.pausedUntilMs) return;
    try {
      const [incarnation, mac] = await Promise.all([this.incarnation(), this.keys.load()]);
      if (mac) await work(`streamforge:${incarnation}:key:`, mac);
    } catch (error) {
      this.pausedUntilMs = Date.now() + PAUSE_AFTER_FAILURE_MS;
      this.logger.warn(`continuing without Redis: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
