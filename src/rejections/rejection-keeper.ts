import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../observability/metrics';
import { KeepAttempt } from './keep-attempt';
import type { NewRejection, RejectionEndpoint } from './rejection';
import { RejectionStore } from './rejection-store';

/**
 * How long a response waits for rejections after its events are stored. A statement takes a few milliseconds, and one
 * behind a checkpoint some tens of them; a busy machine needs more.
 */
const MAX_WAIT_MS = 1_000;
/**
 * After a wait that ran out, responses do not wait for this long. However slow the database is with rejections, a stream
 * therefore spends at most a tenth of its time on waiting for them.
 */
const NO_WAIT_MS = 10 * MAX_WAIT_MS;
const LOG_AT_MOST_EVERY_MS = 10_000;

/**
 * Keeps rejections whose producer is told of them. Never fails and never delays a response for long: what is not known
 * to be kept by then is reported as not kept, although it may still be stored later.
 */
@Injectable()
export class RejectionKeeper {
  private readonly logger = new Logger('Rejections');
  private noWaitUntilMs = 0;
  private notLogged = 0;
  private nextLogMs = 0;

  constructor(
    private readonly store: RejectionStore,
    private readonly metrics: Metrics,
  ) {}

  begin(): KeepAttempt {
    return new KeepAttempt(this.store);
  }

  async keepOne(rejection: NewRejection): Promise<boolean> {
    const attempt = this.begin();
    attempt.add(rejection);
    const [isKept = false] = await this.outcome(attempt, rejection.endpoint);
    return isKept;
  }

  /** Returns whether each rejection of the attempt is known to be kept, in the order in which they were added. */
  async outcome(attempt: KeepAttempt, endpoint: RejectionEndpoint): Promise<readonly boolean[]> {
    if (performance.now() >= this.noWaitUntilMs && !(await attempt.settledWithin(MAX_WAIT_MS))) {
      this.noWaitUntilMs = performance.now() + NO_WAIT_MS;
    }
    const outcome = [...attempt.kept]; // it may still change
    const kept = outcome.filter((isKept) => isKept).length;
    this.metrics.rejectionsTotal.inc({ endpoint, kept: 'true' }, kept);
    if (kept < outcome.length) this.notKept(outcome.length - kept, endpoint);
    return outcome;
  }

  /** Counts what is reported as not kept. Logs the first, and then the sum of some time. */
  notKept(count: number, endpoint: RejectionEndpoint): void {
    this.metrics.rejectionsTotal.inc({ endpoint, kept: 'false' }, count);
    this.notLogged += count;
    if (performance.now() < this.nextLogMs) return;
    this.nextLogMs = performance.now() + LOG_AT_MOST_EVERY_MS;
    this.logger.warn({ msg: 'rejections.not-kept', count: this.notLogged });
    this.notLogged = 0;
  }
}
