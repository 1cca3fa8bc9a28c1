import type { Span } from '@opentelemetry/api';
import { Logger } from '@nestjs/common';
import { writesDebug } from '../../observability/app-logger';
import type { AttemptResult } from '../../observability/durations';
import type { Metrics } from '../../observability/metrics';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { timeOfDayMs } from '../../event/time-of-day';
import type { Failure } from '../../event-state/settle-failures.queries';
import { endDispatchSpan } from '../consume/dispatch-spans';
import type { WorkItem } from '../work-item';

export interface SettledFailure extends Failure {
  span: Span | undefined;
}

/** The result of a committed settle transaction. */
export interface SettledBatch {
  completed: readonly WorkItem[];
  failures: readonly SettledFailure[];
  /** Stale dispatches, and events that had already succeeded. */
  stale: readonly WorkItem[];
  /** Attempt numbers by event id. */
  attempts: ReadonlyMap<string, number>;
  /** How long the batch took, up to its commit. */
  durationMs: number;
}

/**
 * Counts, logs and traces committed outcomes. Logs `delivery.settled` for each event, at debug if it is completed and
 * at warn if an attempt failed. Postponements get one line per batch. The message of a failure is stored with the
 * attempt but not logged, because it may quote the event's content.
 */
export class SettleReport {
  private readonly logger = new Logger('Worker');

  constructor(
    private readonly metrics: Metrics,
    private readonly maxAttempts: number,
  ) {}

  committed(batch: SettledBatch): void {
    this.completed(batch);
    this.superseded(batch.stale);
    let postponed = 0;
    for (const failure of batch.failures) {
      if (failure.decision.kind !== 'postpone') this.failed(failure);
      else {
        postponed += 1;
        const { reasonCode } = failure.decision;
        this.metrics.workerPostponed.inc({ reason_code: reasonCode });
        endDispatchSpan(failure.span, { 'streamforge.outcome': 'postponed', 'streamforge.reason_code': reasonCode });
      }
    }
    if (postponed > 0) this.logger.log(`${postponed} events postponed`);
  }

  /** Ends the spans of dispatches that left nothing to do. */
  superseded(items: readonly WorkItem[]): void {
    for (const { span } of items) endDispatchSpan(span, { 'streamforge.outcome': 'stale' });
  }

  private completed({ completed, attempts, durationMs }: SettledBatch): void {
    if (completed.length === 0) return;
    this.metrics.workerAttempts.inc({ status: 'SUCCESS', reason_code: 'PROCESSED' }, completed.length);
    const { attempts: durations, endToEnd, stages } = this.metrics.durations;
    durations.of({ kind: 'handlers', result: 'success' }).observe(durationMs / 1_000, completed.length);
    const [all, settling] = [endToEnd.of({}), stages.of({ stage: 'settle' })];
    const nowMs = timeOfDayMs();
    const eachLine = writesDebug();
    for (const { event, span } of completed) {
      all.observe(Math.max(0, nowMs - Date.parse(event.receivedAt)) / 1_000); // of two clocks, as the next
      if (event.publishedAtMs !== undefined) settling.observe(Math.max(0, nowMs - event.publishedAtMs) / 1_000);
      endDispatchSpan(span, { 'streamforge.outcome': 'completed' });
      if (!eachLine) continue;
      const attemptNumber = attempts.get(event.id) ?? 1;
      this.logger.debug(this.line(event, { outcome: 'COMPLETED', reasonCode: 'PROCESSED', attemptNumber, durationMs }));
    }
  }

  private failed({ event, span, attemptNumber, decision, durationMs }: SettledFailure): void {
    const { kind, reasonCode } = decision;
    const status = kind === 'retry' ? 'RETRY' : 'DLQ';
    this.metrics.workerAttempts.inc({ status, reason_code: reasonCode });
    this.metrics[kind === 'retry' ? 'workerRetry' : 'workerDlq'].inc();
    const result: AttemptResult = kind === 'retry' ? 'retry' : 'failed';
    this.metrics.durations.attempts.of({ kind: 'handlers', result }).observe(durationMs / 1_000);
    const delayMs = kind === 'retry' ? decision.delayMs : undefined;
    const outcome = kind === 'retry' ? 'RETRYING' : 'DLQ';
    endDispatchSpan(span, { 'streamforge.outcome': outcome, 'streamforge.attempt': attemptNumber }, reasonCode);
    const exhausted = kind === 'dead-letter' && decision.exhausted ? true : undefined;
    this.logger.warn(this.line(event, { outcome, reasonCode, exhausted, attemptNumber, delayMs, durationMs }));
  }

  private line(
    event: DispatchedEvent,
    fields: Record<string, string | number | boolean | undefined>,
  ): Record<string, unknown> {
    const { id: eventId, tenantId, correlationId, dispatchNo } = event;
    const { maxAttempts } = this;
    return { msg: 'delivery.settled', eventId, tenantId, correlationId, dispatchNo, maxAttempts, ...fields };
  }
}
