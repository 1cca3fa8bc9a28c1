import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { WORKER, withResult, type WorkItem } from '../work-item';
import { countStarts, uncountStart } from './crash-counts.queries';

/** After this many crashes while an event ran alone, the event counts as the cause. */
const MOST_CRASHES = 3;

/**
 * Finds events that kill the worker. A single redelivery proves nothing: any event of the batch, a lost connection or a
 * shutdown may have caused it. So a redelivered event runs alone (one with external handlers from its
 * second redelivery), and its start is counted first. A start that is
 * neither settled nor withdrawn is a crash of this event. After three of them the event is quarantined: it is
 * dead-lettered as WORKER_CRASH and not run again.
 *
 * Limits: a kill from outside counts against the event that ran alone at that moment, so three kills during the same
 * event quarantine it. External calls of fresh events run beside an event that runs alone. Without redelivered
 * messages, none of these queries runs.
 */
export class PoisonDetector {
  private readonly logger = new Logger('Worker');

  constructor(private readonly pool: Pool) {}

  /** Counts the start of an event that will run alone. Adds a result under WORKER to the item if it is quarantined. */
  async begin(item: WorkItem): Promise<WorkItem> {
    const { id } = item.event;
    const starts = (await countStarts(this.pool, [id], true)).get(id) ?? 1;
    const crashes = starts - 1;
    const begun = { ...item, startCounted: true };
    if (crashes < MOST_CRASHES) return begun;
    const message = `the worker died ${crashes} times while it ran this event alone`;
    this.logger.error({ msg: message, eventId: id });
    return withResult(begun, WORKER, { kind: 'dead-letter', reasonCode: 'WORKER_CRASH', message });
  }

  /** Uncounts the start of an event that a shutdown requeues. If this fails, one crash too many is counted. */
  async withdraw(event: DispatchedEvent): Promise<void> {
    try {
      await uncountStart(this.pool, event.id);
    } catch (error) {
      this.logger.debug(`could not withdraw a start: ${String(error)}`);
    }
  }
}
