import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { IdempotencyCache, type CommittedEvent } from './idempotency-cache';

const PAUSE_AFTER_FAILURE_MS = 1_000;

/** Redis adapter. Keys carry the incarnation of the database, so a restored or other database starts with nothing. */
export class RedisCache extends IdempotencyCache {
  private readonly logger = new Logger('IdempotencyCache');
  private pausedUntilMs = 0;

  constructor(
    private readonly redis: Redis,
    private readonly incarnation: () => Promise<string>,
    private readonly ttlSeconds: number,
  ) {
    super();
  }

  async lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = new Map<string, CommittedEvent>();
    if (digests.length === 0) return found; // Redis calls MGET of nothing an error
    await this.unlessPaused(async (prefix) => {
      const texts = await this.redis.mget(digests.map((digest) => prefix + digest));
      texts.forEach((text, i) => {
        if (text !== null) found.set(digests[i] as string, JSON.parse(text) as CommittedEvent);
      });
    });
    return found;
  }

  async remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void> {
    await this.unlessPaused(async (prefix) => {
      const commands = this.redis.pipeline();
      for (const { digest, committed } of facts) {
        commands.set(prefix + digest, JSON.stringify(committed), 'EX', this.ttlSeconds);
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

  /** A failure is a miss. After one, Redis is left alone for a second, so that a dead one costs no deadline a call. */
  private async unlessPaused(work: (prefix: string) => Promise<void>): Promise<void> {
    if (Date.now() < this.pausedUntilMs) return;
    try {
      await work(`streamforge:${await this.incarnation()}:key:`);
    } catch (error) {
      this.pausedUntilMs = Date.now() + PAUSE_AFTER_FAILURE_MS;
      this.logger.warn(`goes on without Redis: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
