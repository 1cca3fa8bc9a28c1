import { Injectable } from '@nestjs/common';
import { WakeUp } from '../../redis/wake-up';
import type { PreparedEvent } from '../../event/prepare-event';
import { BatchWriter, valueOf, type StoreOutcome } from './batch-writer';
import type { IngestResult } from './store-batch';

/** Takes prepared events to their results, and wakes the publisher for those that are new. */
@Injectable()
export class Intake {
  constructor(
    private readonly writer: BatchWriter,
    private readonly wakeUp: WakeUp,
  ) {}

  /** Stores one event. @throws Problem `overloaded` when the queue is full, `storage-unavailable` without PostgreSQL */
  async accept(prepared: PreparedEvent): Promise<IngestResult> {
    const result = await this.writer.write(prepared);
    if (result.kind === 'accepted') this.wakeUp.signal();
    return result;
  }

  /**
   * Stores events of a stream and returns their results in order. Waits while the queue is full. If storing fails,
   * returns the failure and the results before the first event that is not known to be stored.
   * @param signal ends the wait for room. It does not withdraw events that are in the queue.
   * @throws the reason of the signal
   */
  async acceptAll(
    events: readonly PreparedEvent[],
    signal?: AbortSignal,
  ): Promise<{ results: IngestResult[]; failure?: unknown }> {
    if (events.length === 0) return { results: [] };
    const results: IngestResult[] = [];
    const outcomes = await this.writer.writeWhenRoom(events, signal);
    this.wakeFor(outcomes);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') return { results, failure: outcome.reason };
      results.push(outcome.value);
    }
    return { results };
  }

  /**
   * Stores the events of one request in one transaction, apart from those that are decided by events stored before.
   * @throws Problem `overloaded` when the queue is full, `storage-unavailable` without PostgreSQL, or if PostgreSQL
   *   refuses one of them for now. The others are then stored, and duplicates when they are sent again.
   */
  async acceptTogether(events: readonly PreparedEvent[]): Promise<IngestResult[]> {
    const outcomes = await this.writer.writeTogether(events);
    this.wakeFor(outcomes);
    return outcomes.map(valueOf);
  }

  private wakeFor(outcomes: readonly StoreOutcome[]): void {
    const isNew = outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value.kind === 'accepted');
    if (isNew) this.wakeUp.signal();
  }
}
