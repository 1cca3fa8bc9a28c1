import { Injectable } from '@nestjs/common';
import { IdempotencyCache } from '../../redis/idempotency-cache';
import { WakeUp } from '../../redis/wake-up';
import { decideDuplicate } from '../../event/decide-duplicate';
import type { PreparedEvent } from '../../event/prepare-event';
import { Metrics } from '../../observability/metrics';
import { BatchWriter } from './batch-writer';
import type { IngestResult } from './ingest-result';

/** From prepared events to committed answers: cache hint → batch writer → cache remember → wake the publisher. */
@Injectable()
export class Intake {
  constructor(
    private readonly cache: IdempotencyCache,
    private readonly writer: BatchWriter,
    private readonly wakeUp: WakeUp,
    private readonly metrics: Metrics,
  ) {}

  /** One event. Refused with `overloaded` when too much is waiting. */
  async accept(prepared: PreparedEvent): Promise<IngestResult> {
    const [known] = await this.fromCache([prepared]);
    if (known) return known;
    const outcome = await this.writer.write(prepared);
    this.afterCommit([prepared], [outcome]);
    return outcome;
  }

  /**
   * Records of a stream, in order. Waits when too much is waiting. Where storing fails, the outcomes before the first
   * event that is not known to be stored, and the failure.
   */
  async acceptAll(events: readonly PreparedEvent[]): Promise<{ outcomes: IngestResult[]; failure?: unknown }> {
    if (events.length === 0) return { outcomes: [] };
    const known = await this.fromCache(events);
    const unknown = events.filter((_, i) => known[i] === undefined);
    const written = await this.writer.writeWhenRoom(unknown);
    const stored = written.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
    this.afterCommit(unknown, stored);
    const outcomes: IngestResult[] = [];
    let next = 0;
    for (const outcome of known) {
      const decided = outcome ?? stored[next++];
      if (!decided) return { outcomes, failure: (written[next - 1] as PromiseRejectedResult).reason };
      outcomes.push(decided);
    }
    return { outcomes };
  }

  /** Only an event whose own key is remembered is decided here; everything else is PostgreSQL's to say (I2). */
  private async fromCache(events: readonly PreparedEvent[]): Promise<(IngestResult | undefined)[]> {
    const holders = await this.cache.lookup(events.map(({ keyDigest }) => keyDigest));
    return events.map((prepared): IngestResult | undefined => {
      const decision = decideDuplicate(prepared, holders.get(prepared.keyDigest), undefined);
      if (decision.kind === 'duplicate') {
        this.metrics.dedupeHits.inc({ layer: 'cache' });
        return { ...decision, layer: 'cache' };
      }
      if (decision.kind === 'rejected') return { kind: 'rejected', rejection: { ...decision, errors: [] } };
      return undefined;
    });
  }

  private afterCommit(events: readonly PreparedEvent[], outcomes: readonly (IngestResult | undefined)[]): void {
    const facts = outcomes.flatMap((outcome, i) => {
      if (!outcome || outcome.kind === 'rejected') return [];
      if (outcome.kind === 'duplicate') this.metrics.dedupeHits.inc({ layer: 'database' });
      const committed = outcome.kind === 'accepted' ? outcome.committed : outcome.of;
      return [{ digest: (events[i] as PreparedEvent).keyDigest, committed }];
    });
    if (outcomes.some((outcome) => outcome?.kind === 'accepted')) this.wakeUp.signal();
    // Not awaited: the answer does not depend on it, and the cache bounds and reports its own failures.
    if (facts.length > 0) void this.cache.remember(facts);
  }
}
