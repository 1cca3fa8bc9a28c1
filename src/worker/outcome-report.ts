import { Logger } from '@nestjs/common';
import type { Metrics } from '../observability/metrics';
import type { Failure } from './failures.queries';
import type { DeliveredEvent } from './handler';

/** What a settle transaction has committed. */
export interface Outcome {
  completed: readonly DeliveredEvent[];
  failures: readonly Failure[];
}

/** Counts and logs outcomes once they are committed. One line per failed attempt, one per batch for postponements. */
export class OutcomeReport {
  private readonly logger = new Logger('Worker');

  constructor(private readonly metrics: Metrics) {}

  committed({ completed, failures }: Outcome): void {
    if (completed.length > 0)
      this.metrics.workerAttempts.inc({ status: 'SUCCESS', reason_code: 'PROCESSED' }, completed.length);
    const nowMs = Date.now();
    for (const { receivedAt } of completed) this.metrics.endToEnd.observe((nowMs - Date.parse(receivedAt)) / 1000);
    let postponed = 0;
    for (const failure of failures) {
      if (failure.decision.kind !== 'postpone') this.failed(failure);
      else {
        postponed += 1;
        this.metrics.workerPostponed.inc({ reason_code: failure.decision.reasonCode });
      }
    }
    if (postponed > 0) this.logger.log(`${postponed} events postponed`);
  }

  private failed({ event, attemptNumber, decision, message }: Failure): void {
    const { kind, reasonCode } = decision;
    const status = kind === 'retry' ? 'RETRY' : 'DLQ';
    this.metrics.workerAttempts.inc({ status, reason_code: reasonCode });
    this.metrics[kind === 'retry' ? 'workerRetry' : 'workerDlq'].inc();
    const delayMs = kind === 'retry' ? decision.delayMs : undefined;
    this.logger.warn({
      msg: 'attempt failed',
      eventId: event.id,
      attemptNumber,
      kind,
      reasonCode,
      delayMs,
      errorMessage: message,
    });
  }
}
