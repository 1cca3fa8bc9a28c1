import { Logger } from '@nestjs/common';
import { errorCode } from '../../db/pg-errors';
import type { PreparedEvent } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { writesDebug } from '../../observability/app-logger';
import { lineSafe } from '../../observability/log-format';
import { RareLog } from '../../observability/rare-log';
import { isSampled, startSpan } from '../../observability/spans';
import type { FailedEvent, StoreResult } from './store-batch';

/**
 * Logs failed batches and, at level debug, every stored batch and each of its events. Adds a span for each sampled
 * event.
 */
export class BatchReport {
  private readonly logger = new Logger('Ingest');
  private readonly refused = new RareLog();

  /** @param startedMs by performance.now(), as in `failed` */
  stored(batch: readonly PreparedEvent[], results: readonly StoreResult[], startedMs: number): void {
    addSpans(batch, (i) => (results[i] as StoreResult).kind, startedMs);
    results.forEach((result, i) => {
      if (result.kind === 'failed') this.failedAlone(batch[i] as PreparedEvent, result);
    });
    if (!writesDebug()) return;
    const counts = { accepted: 0, duplicate: 0, rejected: 0, failed: 0 };
    let bytes = 0;
    batch.forEach(({ event }, i) => {
      const result = results[i] as StoreResult;
      counts[result.kind] += 1;
      bytes += event.sizeBytes;
      const { id: eventId, tenantId, correlationId } = event;
      const reason = result.kind === 'rejected' ? { reason: result.rejection.code } : {};
      this.logger.debug({ msg: 'event.stored', eventId, tenantId, correlationId, outcome: result.kind, ...reason });
    });
    const durationMs = Math.round(performance.now() - startedMs);
    this.logger.debug({ msg: 'event.ingested', events: batch.length, ...counts, bytes, durationMs });
  }

  /** One line a minute, of the first event. */
  private failedAlone({ event }: PreparedEvent, { cause }: FailedEvent): void {
    const { tenantId, type } = event;
    const details = { tenantId, type, code: errorCode(cause), reason: lineSafe((cause as Error).message) };
    this.refused.log((count) =>
      this.logger.warn({ msg: 'PostgreSQL refuses an event and stores others', ...details, count }),
    );
  }

  failed(batch: readonly PreparedEvent[], error: unknown, startedMs: number): void {
    addSpans(batch, () => 'failed', startedMs);
    if (error instanceof Problem) return; // an outage, of which the log has one line a minute
    const durationMs = Math.round(performance.now() - startedMs);
    this.logger.warn({ msg: 'event.ingest-failed', events: batch.length, durationMs, err: error });
  }
}

/** Adds one span to the trace of each sampled event, with links to at most 16 other traces of the batch. */
function addSpans(batch: readonly PreparedEvent[], kindOf: (i: number) => string, startedMs: number): void {
  const traces = batch.flatMap(({ event }) => (isSampled(event.traceparent) ? [event.traceparent] : []));
  if (traces.length === 0) return;
  const startedAtMs = Date.now() - (performance.now() - startedMs); // spans have instants
  batch.forEach(({ event }, i) => {
    if (!isSampled(event.traceparent)) return;
    const span = startSpan('ingest batch', event.traceparent, {
      startedMs: startedAtMs,
      links: traces.filter((other) => other !== event.traceparent).slice(0, 16),
      attributes: {
        'streamforge.event_id': event.id,
        'streamforge.batch_size': batch.length,
        'streamforge.outcome': kindOf(i),
      },
    });
    span.end();
  });
}
