import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { withinDeadline } from '../../runtime/deadline';
import { WORKER, withResult, type WorkItem } from '../work-item';
import { countStart, readStarts, resetStarts, uncountStart } from './crash-counts.queries';

/** After this many crashes while an event ran alone, the event counts as the cause. */
const MOST_CRASHES = 3;
/** A message does not wait longer than this for the withdrawal of its start. */
const WITHDRAW_TIMEOUT_MS = 2_000;

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
  /** Starts counted before the one of an item that may have been counted: the answer of PostgreSQL was lost. */
  private readonly unsure = new WeakMap<WorkItem, number>();

  constructor(private readonly pool: Pool) {}

  /**
   * Counts the start of an event that will run alone. Adds a result under WORKER to the item if it is quarantined. May be
   * repeated with the same item when it fails: one start is counted.
   */
  async begin(item: WorkItem): Promise<WorkItem> {
    const { id } = item.event;
    const crashes = this.unsure.get(item) ?? (await readStarts(this.pool, id));
    this.unsure.set(item, crashes);
    await countStart(this.pool, id, crashes + 1);
    this.unsure.delete(item);
    const begun = { ...item, marked: true, startCounted: true };
    if (crashes < MOST_CRASHES) return begun;
    const message = `the worker died ${crashes} times while it ran this event alone`;
    this.logger.error({ msg: message, eventId: id });
    return withResult(begun, WORKER, { kind: 'dead-letter', reasonCode: 'WORKER_CRASH', message });
  }

  /**
   * Uncounts the starts that this worker has counted, or may have, for these items. Call it before they are requeued or parked, which is
   * no crash: whoever takes them next would read one crash too many. Never rejects, and takes two seconds at most; if it
   * fails, one crash too many is counted.
   */
  async withdraw(items: readonly WorkItem[]): Promise<void> {
    const counted = items.filter((item) => item.startCounted || this.unsure.has(item));
    if (counted.length === 0) return;
    try {
      await withinDeadline(WITHDRAW_TIMEOUT_MS, this.uncount(counted));
    } catch (error) {
      this.logger.debug(`could not withdraw a start: ${String(error)}`);
    }
  }

  private async uncount(items: readonly WorkItem[]): Promise<void> {
    // Of events that run alone: there are few.
    for (const item of items) {
      const before = this.unsure.get(item);
      if (before === undefined) await uncountStart(this.pool, item.event.id);
      else await resetStarts(this.pool, item.event.id, before);
    }
  }
}
