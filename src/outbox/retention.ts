import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ADVISORY_LOCKS, tryTransactionLock } from '../db/advisory-locks';
import { classifyPgError } from '../db/pg-errors';
import { inTransaction } from '../db/pool';
import { forgetEventsBelow } from '../event-state/forget-events.queries';
import {
  areEventsSettled,
  deleteStrayEntries,
  dropTables,
  ensurePartitions,
  instantOfBound,
  isOutboxPartitionDone,
  listEndedPartitions,
  lockForDrop,
  waitBrieflyForLocks,
  type Partition,
} from './retention.queries';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const DELETE_BATCH = 5_000;
/** Names are put into statements, so that they must be ours. */
const OURS = /^(outbox_d\d{8}|events_y\d{4}w\d\d)$/;

/**
 * Makes partitions ahead of time and drops those that are past their retention and hold nothing open: no open or FAILED
 * entry, no unresolved dead letter, no retry that waits, nothing that the reconciler has not seen settled. A partition
 * goes whole, so its oldest rows outlive their time by a day (outbox) or a week (events, attempts).
 */
@Injectable()
export class Retention {
  private readonly logger = new Logger('Retention');

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
  ) {}

  /** Returns how many partitions were made and dropped. */
  async runOnce(): Promise<{ made: number; dropped: string[] }> {
    const { OUTBOX_RETENTION_HOURS, EVENT_RETENTION_DAYS } = this.settings;
    const made = (await this.unlessBusy(makePartitions)) ?? 0;
    if (made > 0) this.logger.log(`${made} partitions made ahead`);
    const dropped: string[] = [];
    for (const partition of await this.ended('outbox', OUTBOX_RETENTION_HOURS * HOUR_SECONDS)) {
      if (await this.dropOutbox(partition)) dropped.push(partition.name);
    }
    await this.underLock((db) => deleteStrayEntries(db, OUTBOX_RETENTION_HOURS * HOUR_SECONDS, DELETE_BATCH));
    if (EVENT_RETENTION_DAYS > 0) dropped.push(...(await this.dropEvents(EVENT_RETENTION_DAYS * DAY_SECONDS)));
    if (dropped.length > 0) this.logger.log(`past their retention and dropped: ${dropped.join(', ')}`);
    return { made, dropped };
  }

  private async dropEvents(olderThanSeconds: number): Promise<string[]> {
    const dropped: string[] = [];
    let bound: string | undefined;
    for (const partition of await this.ended('events', olderThanSeconds)) {
      // In order: what is below the oldest that stays has no events any more.
      if (!(await this.dropWeek(partition))) break;
      bound = partition.upper;
      dropped.push(partition.name);
    }
    if (bound !== undefined) await this.forgetBelow(bound);
    return dropped;
  }

  private async dropOutbox({ name }: Partition): Promise<boolean | undefined> {
    return this.unlessBusy(async (db) => {
      if (!(await isOutboxPartitionDone(db, name))) return false; // the lock comes only when it is worth it
      await lockForDrop(db, ['outbox'], [name]);
      if (!(await isOutboxPartitionDone(db, name))) return false;
      await dropTables(db, [name]);
      return true;
    });
  }

  /** The events of a week and their attempts. */
  private async dropWeek(partition: Partition): Promise<boolean | undefined> {
    const attempts = partition.name.replace('events', 'processing_attempts');
    return this.unlessBusy(async (db) => {
      const endedAt = await instantOfBound(db, partition.upper);
      if (!(await areEventsSettled(db, partition, endedAt))) return false;
      await lockForDrop(db, ['events', 'processing_attempts'], [partition.name, attempts]);
      if (!(await areEventsSettled(db, partition, endedAt))) return false;
      await dropTables(db, [partition.name, attempts]);
      return true;
    });
  }

  private async forgetBelow(bound: string): Promise<void> {
    while (await this.underLock((db) => forgetEventsBelow(db, bound, DELETE_BATCH)));
  }

  private async ended(parent: 'outbox' | 'events', olderThanSeconds: number): Promise<Partition[]> {
    const partitions = await listEndedPartitions(this.pool, parent, olderThanSeconds);
    return partitions.filter(({ name }) => OURS.test(name));
  }

  /** Undefined when somebody reads a table that has to be locked, or another process is at it: a later run does it. */
  private async unlessBusy<T>(work: (db: PoolClient) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.underLock(work);
    } catch (error) {
      if (classifyPgError(error) !== 'transient') throw error; // lock_timeout, or a deadlock that was resolved
      return undefined;
    }
  }

  /** Undefined when another process is at it. */
  private underLock<T>(work: (db: PoolClient) => Promise<T>): Promise<T | undefined> {
    return inTransaction(this.pool, async (db) =>
      (await tryTransactionLock(db, ADVISORY_LOCKS.partitions)) ? work(db) : undefined,
    );
  }
}

/** A new partition locks the default one, which a long report may be reading. */
async function makePartitions(db: PoolClient): Promise<number> {
  await waitBrieflyForLocks(db);
  return ensurePartitions(db);
}
