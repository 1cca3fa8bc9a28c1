import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { loggedCause } from '../outages';
import { errorCode } from '../pg-errors';
import { recordChore, recordChoreEnd, recordChoreFailure } from './chore-records.queries';
import { RECORD_EVERY_SECONDS, type Chore } from './chores';

/**
 * How a run of a chore has ended. `put off`: work waits for locks of others. `elsewhere`: another session has the lock, so
 * this run says nothing about the chore.
 */
export type ChoreEnd = 'done' | 'put off' | 'elsewhere';

interface Noted {
  outcome: string;
  untilMs: number;
}

/**
 * Records how the runs of chores end, for /ready, the metrics and doctor. The same end again is recorded once a minute: a
 * chore may run five times a second.
 */
export class ChoreRecords {
  private readonly logger = new Logger('Chores');
  /** The last record of each chore. */
  private readonly noted = new Map<Chore, Noted>();

  constructor(private readonly pool: Pool) {}

  /** Runs one run of a chore and records its end. */
  async run<T>(chore: Chore, work: () => Promise<T>, endOf: (result: T) => ChoreEnd = () => 'done'): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      const code = errorCode(error) ?? 'none';
      await this.note(chore, code, () => recordChoreFailure(this.pool, chore, code));
      throw error;
    }
    const end = endOf(result);
    if (end !== 'elsewhere') await this.note(chore, end, () => recordChoreEnd(this.pool, chore, end === 'put off'));
    // From the first time on: a lock that nobody ever gives back makes the chore overdue.
    else if (!this.noted.has(chore)) await this.note(chore, end, () => recordChore(this.pool, chore));
    return result;
  }

  /** A record that fails must not make a chore fail. */
  private async note(chore: Chore, outcome: string, record: () => Promise<void>): Promise<void> {
    const before = this.noted.get(chore);
    const nowMs = performance.now();
    if (before?.outcome === outcome && nowMs < before.untilMs) return;
    this.noted.set(chore, { outcome, untilMs: nowMs + RECORD_EVERY_SECONDS * 1_000 });
    try {
      await record();
    } catch (error) {
      this.noted.delete(chore);
      this.logger.debug({ msg: 'the end of a chore could not be recorded', chore, ...loggedCause(error) });
    }
  }
}
