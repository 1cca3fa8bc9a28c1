import { Logger } from '@nestjs/common';
import { writesDebug } from '../../observability/app-logger';
import type { Metrics } from '../../observability/metrics';
import { endDispatchSpan } from '../consume/dispatch-spans';
import type { Failure } from '../../event-state/settle-failures.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';

/** What a settle transaction has committed. */
export interface SettledBatch {
  completed: readonly DispatchedEvent[];
  failures: readonly Failure[];
  /** Number of the attempt, by event id. */
  attempts: ReadonlyMap<string, number>;
  /** How long the batch took. */
  durationMs: number;
}

/**
 * Counts and logs outcomes once they are committed: `delivery.settled` for each event, at debug when all went well, at
 * warn when an attempt failed; one line per batch for postponements. What a handler said about a failure stands in the
 * attempt, not in the log: it may quote what the event carries.
 */
export class SettleReport {
  private readonly logger = new Logger('Worker');

  constructor(
    private readonly metrics: Metrics,
    private readonly maxAttempts: number,
  ) {}

  committed(outcome: SettledBatch): void {
    this.completed(outcome);
    let postponed = 0;
    for (const failure of outcome.failures) {
      if (failure.decision.kind !== 'postpone') this.failed(failure);
      else {
        postponed += 1;
        const { reasonCode } = failure.decision;
        this.metrics.workerPostponed.inc({ reason_code: reasonCode });
        endDispatchSpan(failure.event, { 'streamforge.outcome': 'postponed', 'streamforge.reason_code': reasonCode });
      }
    }
    if (postponed > 0) this.logger.log(`${postponed} events postponed`);
  }

  private completed({ completed, attempts, durationMs }: SettledBatch): void {
    if (completed.length > 0)
      this.metrics.workerAttempts.inc({ status: 'SUCCESS', reason_code: 'PROCESSED' }, completed.length);
    const nowMs = Date.now();
    const eachLine = writesDebug();
    for (const event of completed) {
      this.metrics.endToEnd.observe((nowMs - Date.parse(event.receivedAt)) / 1000);
      endDispatchSpan(event, { 'streamforge.outcome': 'completed' });
      if (!eachLine) continue;
      const attemptNumber = attempts.get(event.id) ?? 1;
      this.logger.debug(this.line(event, { outcome: 'COMPLETED', reasonCode: 'PROCESSED', attemptNumber, durationMs }));
    }
  }

  private failed({ event, attemptNumber, decision, durationMs }: Failure): void {
    const { kind, reasonCode } = decision;
    const status = kind === 'retry' ? 'RETRY' : 'DLQ';
    this.metrics.workerAttempts.inc({ status, reason_code: reasonCode });
    this.metrics[kind === 'retry' ? 'workerRetry' : 'workerDlq'].inc();
    const delayMs = kind === 'retry' ? decision.delayMs : undefined;
    const outcome = kind === 'retry' ? 'RETRYING' : 'DLQ';
    endDispatchSpan(event, { 'streamforge.outcome': outcome, 'streamforge.attempt': attemptNumber }, reasonCode);
    this.logger.warn(this.line(event, { outcome, reasonCode, attemptNumber, delayMs, durationMs }));
  }

  private line(event: DispatchedEvent, fields: Record<string, string | number | undefined>): Record<string, unknown> {
    const { id: eventId, tenantId, correlationId, dispatchNo } = event;
    const { maxAttempts } = this;
    return { msg: 'delivery.settled', eventId, tenantId, correlationId, dispatchNo, maxAttempts, ...fields };
  }
}
