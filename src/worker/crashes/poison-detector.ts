import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { countStarts, uncountStart } from './crash-counts.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { UnfinishedResult } from '../handler';
import type { Findings } from '../settle/settlement';

/** So many crashes of one event, while it ran alone, are its own doing. */
const MOST_CRASHES = 3;

/**
 * Finds events that kill the worker. The rule: the crash that brings a delivery back accuses nobody, for it may have been
 * any of the batch, a lost connection or a shutdown. What comes back runs alone, and notes that first; a note that was
 * neither settled nor withdrawn is a crash of this event. After three of them it is not run any more: WORKER_CRASH.
 *
 * Limits: a process that is killed from outside charges the one event that ran alone at that moment, so three kills that
 * all hit the same event convict it. External calls of fresh events run beside one that is alone. Fresh deliveries,
 * redelivered ones that were settled before, and everything in a crash-free worker cost nothing.
 */
@Injectable()
export class PoisonDetector {
  private readonly logger = new Logger('Worker');

  constructor(private readonly pool: Pool) {}

  /** Before an event runs alone. What it returns goes to the settlement; `quarantined`: then no handler may run. */
  async begin(event: DispatchedEvent): Promise<{ quarantined: boolean; findings: Findings }> {
    const starts = (await countStarts(this.pool, [event.id], true)).get(event.id) ?? 1;
    const crashes = starts - 1;
    if (crashes < MOST_CRASHES) return { quarantined: false, findings: onTrial(new Map()) };
    const message = `the worker died ${crashes} times while it ran this event alone`;
    this.logger.error({ msg: message, eventId: event.id });
    const verdict: UnfinishedResult = { kind: 'dead-letter', reasonCode: 'WORKER_CRASH', message };
    return { quarantined: true, findings: onTrial(new Map([['', verdict]])) };
  }

  /** It goes back to the queue because of a shutdown. If this fails, one crash too many is counted. */
  async withdraw(event: DispatchedEvent): Promise<void> {
    try {
      await uncountStart(this.pool, event.id);
    } catch (error) {
      this.logger.debug(`trial not withdrawn: ${String(error)}`);
    }
  }
}

const onTrial = (unfinished: ReadonlyMap<string, UnfinishedResult>): Findings => ({
  done: [],
  unfinished,
  durationMs: 0,
  onTrial: true,
});
