import { Injectable } from '@nestjs/common';
import { IdempotencyCache } from '../../redis/idempotency-cache';
import { WakeUp } from '../../redis/wake-up';
import { decideDuplicate } from '../../event/decide-duplicate';
import type { PreparedEvent } from '../../event/prepare-event';
import { Metrics } from '../../observability/metrics';
import { BatchWriter } from './batch-writer';
import type { IngestResult } from './store-batch';

/** From prepared events to their results: look into the cache → batch writer → remember in the cache → wake the publisher. */
@Injectable()
export class Intake {
  constructor(
    private readonly cache: IdempotencyCache,
    private readonly writer: BatchWriter,
    private readonly wakeUp: WakeUp,
    private readonly metrics: Metrics,
  ) {}

  /** One event. @throws Problem `overloaded` when too many events wait. */
  async accept(prepared: PreparedEvent): Promise<IngestResult> {
    const [known] = await this.fromCache([prepared]);
    if (known) return known;
    const result = await this.writer.write(prepared);
    this.afterCommit([prepared], [result]);
    return result;
  }

  /**
   * Records of a stream, in order. Waits while too many events wait. When storing fails, returns the failure and the
   * results before the first event that is not known to be stored.
   */
  async acceptAll(events: readonly PreparedEvent[]): Promise<{ results: IngestResult[]; failure?: unknown }> {
    if (events.length === 0) return { results: [] };
    const known = await this.fromCache(events);
    const unknown = events.filter((_, i) => known[i] === undefined);
    const written = await this.writer.writeWhenRoom(unknown);
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

  /** Only an event whose own key is in the cache is decided here; PostgreSQL decides all others (I2). */
  private async fromCache(events: readonly PreparedEvent[]): Promise<(IngestResult | undefined)[]> {
    const holders = await this.cache.lookup(events.map(({ keyDigest }) => keyDigest));
    return events.map((prepared): IngestResult | undefined => {
      const holder = holders.get(prepared.keyDigest);
      if (!holder) return undefined;
      const decision = decideDuplicate(prepared, holder, undefined);
      if (decision.kind === 'rejected') return decision;
      if (decision.kind !== 'duplicate') return undefined;
      this.metrics.dedupeHits.inc({ layer: 'cache' });
      return { ...decision, layer: 'cache' };
    });
  }

  private afterCommit(events: readonly PreparedEvent[], results: readonly (IngestResult | undefined)[]): void {
    const facts = results.flatMap((result, i) => {
      if (!result || result.kind === 'rejected') return [];
      if (result.kind === 'duplicate') this.metrics.dedupeHits.inc({ layer: 'database' });
      const committed = result.kind === 'accepted' ? result.committed : result.of;
      return [{ digest: (events[i] as PreparedEvent).keyDigest, committed }];
    });
    if (results.some((result) => result?.kind === 'accepted')) this.wakeUp.signal();
    // Not awaited: the response does not depend on it, and the cache bounds and reports its own failures.
    if (facts.length > 0) void this.cache.remember(facts);
  }
}
