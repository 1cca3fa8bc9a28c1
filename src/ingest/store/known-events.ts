import { Injectable } from '@nestjs/common';
import { decideDuplicate } from '../../event/identity/decide-duplicate';
import type { PreparedEvent } from '../../event/prepare-event';
import { Metrics } from '../../observability/metrics';
import { IdempotencyCache } from '../../redis/idempotency-cache';
import type { IngestResult, StoreResult } from './store-batch';

/** The first layer of idempotency: what the cache knows of a batch before it is written, and learns from it afterwards. */
@Injectable()
export class KnownEvents {
  constructor(
    private readonly cache: IdempotencyCache,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Decides only duplicates whose key is in the cache. PostgreSQL decides all others, every rejection (I2), and what is
   * made from a rejection: the cache does not know which event the rejection has become. Never throws.
   */
  async find(events: readonly PreparedEvent[]): Promise<(IngestResult | undefined)[]> {
    const holders = await this.cache.lookup(events.map(({ keyDigest }) => keyDigest));
    if (holders.size === 0) return [];
    return events.map((prepared): IngestResult | undefined => {
      const holder = holders.get(prepared.keyDigest);
      if (!holder || prepared.rejectionDigest !== undefined) return undefined;
      const decision = decideDuplicate(prepared, holder, undefined);
      if (decision.kind !== 'duplicate') return undefined;
      this.metrics.dedupeHits.inc({ layer: 'cache' });
      return { ...decision, layer: 'cache' };
    });
  }

  /** Remembers what PostgreSQL has decided. Not awaited: no response depends on it, and the cache reports its failures. */
  remember(events: readonly PreparedEvent[], results: readonly StoreResult[]): void {
    const facts = results.flatMap((result, i) => {
      if (result.kind === 'rejected' || result.kind === 'failed') return [];
      if (result.kind === 'duplicate') this.metrics.dedupeHits.inc({ layer: 'database' });
      // An event that was found by another key does not hold this one, and a cached fact must say what PostgreSQL says.
      if (result.kind === 'duplicate' && result.by !== 'key') return [];
      const committed = result.kind === 'accepted' ? result.committed : result.of;
      if (committed.history === null) return []; // nobody could confirm it
      return [{ digest: (events[i] as PreparedEvent).keyDigest, committed }];
    });
    if (facts.length > 0) void this.cache.remember(facts);
  }
}
