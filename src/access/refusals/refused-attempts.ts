import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { loggedCause } from '../../db/outages';
import { Loop } from '../../runtime/loop';
import { recordRefused } from './refused-attempts.queries';
import { RefusedGroups, type RefusedAttempt } from './refused-groups';

const RECORD_EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Groups of operators in a minute. Further ones are summed up by reason. */
const MAX_GROUPS_OF_OPERATORS = 20;
/**
 * Entries that strangers can cause in an hour, since nothing ever removes an entry. The last ones are kept for the sums
 * of the reasons, of which there are at most seven.
 */
export const ENTRIES_OF_STRANGERS = 16;
const KEPT_FOR_SUMS = 7;

/**
 * Records refused requests to admin endpoints in the audit trail: once a minute, one entry for those that have reason,
 * address and operator in common. When strangers have caused all entries of an hour, further requests of theirs are
 * summed up by reason until the next hour. A process that crashes loses what it has not recorded; the metric has counted
 * it, and the log has named the addresses.
 */
@Injectable()
export class RefusedAttempts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly ofOperators = new RefusedGroups();
  private readonly ofStrangers = new RefusedGroups();
  private entriesLeft = ENTRIES_OF_STRANGERS;
  private hourEndsAtMs = -Infinity;
  private readonly loop = new Loop('Refused attempts', () => this.runOnce());
  private readonly logger = new Logger('Access');

  constructor(private readonly pool: Pool) {}

  note(attempt: RefusedAttempt): void {
    if (attempt.operator) this.ofOperators.add(attempt, MAX_GROUPS_OF_OPERATORS);
    else this.ofStrangers.add(attempt, this.entriesLeft - KEPT_FOR_SUMS);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    try {
      await this.record(Infinity);
    } catch (error) {
      // The rest of the shutdown must go on while PostgreSQL is down.
      this.logger.warn({ msg: 'refused attempts were not recorded', ...loggedCause(error) });
    }
  }

  async runOnce(nowMs: number = performance.now()): Promise<number> {
    if (nowMs >= this.hourEndsAtMs) {
      this.hourEndsAtMs = nowMs + HOUR_MS;
      this.entriesLeft = ENTRIES_OF_STRANGERS;
    }
    await this.record(this.entriesLeft);
    return RECORD_EVERY_MS;
  }

  private async record(mostOfStrangers: number): Promise<void> {
    await this.ofOperators.record(Infinity, (group) => recordRefused(this.pool, group));
    await this.ofStrangers.record(mostOfStrangers, async (group) => {
      await recordRefused(this.pool, group);
      this.entriesLeft -= 1;
    });
  }
}
