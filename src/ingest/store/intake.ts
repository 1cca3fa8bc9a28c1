import { Injectable } from '@nestjs/common';
import { IdempotencyCache } from '../../redis/idempotency-cache';
import { WakeUp } from '../../redis/wake-up';
import { decideDuplicate } from '../../event/identity/decide-duplicate';
import type { PreparedEvent } from '../../event/prepare-event';
import { Metrics } from '../../observability/metrics';
import { BatchWriter } from './batch-writer';
import type { IngestResult } from './store-batch';

/** Takes prepared events to their results: cache lookup → batch writer → wake the publisher and update the cache. */
@Injectable()
export class Intake {
  constructor(
    private readonly cache: IdempotencyCache,
    private readonly writer: BatchWriter,
    private readonly wakeUp: WakeUp,
    private readonly metrics: Metrics,
  ) {}

  /** Stores one event. @throws Problem `overloaded` when the queue is full, `storage-unavailable` without PostgreSQL */
  async accept(prepared: PreparedEvent): Promise<IngestResult> {
    const [known] = await this.fromCache([prepared]);
    if (known) return known;
    const result = await this.writer.write(prepared);
    this.afterCommit([prepared], [result]);
    return result;
  }

  /**
   * Stores events of a stream and returns their results in order. Waits while the queue is full. If storing fails,
   * returns the failure and the results before the first event that is not known to be stored.
   * @param signal ends the wait for room. It does not withdraw events that are in the queue.
   * @throws the reason of the signal
   */
  async acceptAll(
    events: readonly PreparedEvent[],
    signal?: AbortSignal,
  ): Promise<{ results: IngestResult[]; failure?: unknown }> {
    if (events.length === 0) return { results: [] };
    const known = await this.fromCache(events);
    const unknown = events.filter((_, i) => known[i] === undefined);
    const written = await this.writer.writeWhenRoom(unknown, signal);
    const stored = written.map((settled) => (settled.status === 'fulfilled' ? settled.value : undefined));
    this.afterCommit(unknown, stored);
    const results: IngestResult[] = [];
    let next = 0;
    for (const fromCache of known) {
      const result = fromCache ?? stored[next++];
      if (!result) return { results, failure: (written[next - 1] as PromiseRejectedResult).reason };
      results.push(result);
    }
    return { results };
  }

  /**
   * Stores the events of one request in one transaction, apart from those that are decided by events stored before.
   * @throws Problem `overloaded` when the queue is full, `storage-unavailable` without PostgreSQL
   */
  async acceptTogether(events: readonly PreparedEvent[]): Promise<IngestResult[]> {
    const known = await this.fromCache(events);
    const unknown = events.filter((_, i) => known[i] === undefined);
    const stored = await this.writer.writeTogether(unknown);
    this.afterCommit(unknown, stored);
    let next = 0;
    return known.map((fromCache) => fromCache ?? (stored[next++] as IngestResult));
  }

  /**
   * Decides only duplicates whose key is in the cache. PostgreSQL decides all others, every rejection (I2), and what is
   * made from a rejection: the cache does not know which event the rejection has become.
   */
  private async fromCache(events: readonly PreparedEvent[]): Promise<(IngestResult | undefined)[]> {
    const holders = await this.cache.lookup(events.map(({ keyDigest }) => keyDigest));
    return events.map((prepared): IngestResult | undefined => {
      const holder = holders.get(prepared.keyDigest);
      if (!holder || prepared.rejectionDigest !== undefined) return undefined;
      const decision = decideDuplicate(prepared, holder, undefined);
      if (decision.kind !== 'duplicate') return undefined;
      this.metrics.dedupeHits.inc({ layer: 'cache' });
      return { ...decision, layer: 'cache' };
    });
  }

  private afterCommit(events: readonly PreparedEvent[], results: readonly (IngestResult | undefined)[]): void {
    const facts = results.flatMap((result, i) => {
      if (!result || result.kind === 'rejected') return [];
      if (result.kind === 'duplicate') this.metrics.dedupeHits.inc({ layer: 'database' });
      // An event that was found by another key does not hold this one, and a cached fact must say what PostgreSQL says.
      if (result.kind === 'duplicate' && result.by !== 'key') return [];
      const committed = result.kind === 'accepted' ? result.committed : result.of;
      if (committed.history === null) return []; // nobody could confirm it
      return [{ digest: (events[i] as PreparedEvent).keyDigest, committed }];
    });
    if (results.some((result) => result?.kind === 'accepted')) this.wakeUp.signal();
    // Not awaited: the response does not depend on it. The cache has its own timeout and reports its own failures.
    if (facts.length > 0) void this.cache.remember(facts);
  }
}
