import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { WORKER, withResult, type WorkItem } from '../work-item';
import { countStarts, uncountStart } from './crash-counts.queries';

/** This many crashes while an event ran alone, and the event is the cause. */
const MOST_CRASHES = 3;

/**
 * Finds events that kill the worker. A single redelivery proves nothing: any event of the batch, a lost connection or a
 * shutdown may have caused it. So a redelivered event runs alone, and its start is counted first. A start that is neither
 * settled nor withdrawn is a crash of this event. After three of them the event is quarantined: it is dead-lettered as
 * WORKER_CRASH and not run again.
 *
 * Limits: a process that is killed from outside counts against the one event that ran alone at that moment, so three kills
 * that hit the same event quarantine it. External calls of fresh events run beside one that is alone. In a worker that
 * never crashes none of this costs anything.
 */
export class PoisonDetector {
  private readonly logger = new Logger('Worker');

  constructor(private readonly pool: Pool) {}

  /** Before an event runs alone. If it is quarantined, the item that this returns has that result under WORKER. */
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

  /** The event goes back to the queue because of a shutdown. If this fails, one crash too many is counted. */
  async withdraw(event: DispatchedEvent): Promise<void> {
    try {
      await uncountStart(this.pool, event.id);
    } catch (error) {
      this.logger.debug(`start not withdrawn: ${String(error)}`);
    }
  }
}
