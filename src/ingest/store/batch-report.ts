import { Logger } from '@nestjs/common';
import type { PreparedEvent } from '../../event/prepare-event';
import { writesDebug } from '../../observability/log-level';
import { isSampled, startSpan } from '../../observability/spans';
import type { IngestResult } from './ingest-result';

/** Tells what became of a batch: one line, and at debug one more for each event, and the spans of those sampled. */
export class BatchReport {
  private readonly logger = new Logger('Ingest');

  stored(batch: readonly PreparedEvent[], outcomes: readonly IngestResult[], startedMs: number): void {
    addSpans(batch, (i) => (outcomes[i] as IngestResult).kind, startedMs);
    if (!writesDebug()) return;
    const counts = { accepted: 0, duplicate: 0, rejected: 0 };
    let bytes = 0;
    batch.forEach(({ event }, i) => {
      const outcome = outcomes[i] as IngestResult;
      counts[outcome.kind] += 1;
      bytes += event.sizeBytes;
      const { id: eventId, tenantId, correlationId } = event;
      const reason = outcome.kind === 'rejected' ? { reason: outcome.rejection.code } : {};
      this.logger.debug({ msg: 'event.stored', eventId, tenantId, correlationId, outcome: outcome.kind, ...reason });
    });
    const durationMs = Date.now() - startedMs;
    this.logger.debug({ msg: 'event.ingested', events: batch.length, ...counts, bytes, durationMs });
  }

  failed(batch: readonly PreparedEvent[], error: unknown, startedMs: number): void {
    addSpans(batch, () => 'failed', startedMs);
    const durationMs = Date.now() - startedMs;
    this.logger.warn({ msg: 'event.ingest-failed', events: batch.length, durationMs, err: error });
  }
}

/** A batch has a span in every trace that it is part of, each linked to the others. */
function addSpans(batch: readonly PreparedEvent[], outcomeOf: (i: number) => string, startedMs: number): void {
  const traces = batch.flatMap(({ event }) => (isSampled(event.traceparent) ? [event.traceparent] : []));
  if (traces.length === 0) return;
  batch.forEach(({ event }, i) => {
    if (!isSampled(event.traceparent)) return;
    const span = startSpan('ingest batch', event.traceparent, {
      startedMs,
      links: traces.filter((other) => other !== event.traceparent).slice(0, 16),
      attributes: {
        'streamforge.event_id': event.id,
        'streamforge.batch_size': batch.length,
        'streamforge.outcome': outcomeOf(i),
      },
    });
    span.end();
  });
}
