import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { recordSystemAction } from '../audit/system-actions.queries';
import { ADVISORY_LOCKS, tryTransactionLock } from '../db/advisory-locks';
import { classifyPgError } from '../db/pg-errors';
import { inTransaction } from '../db/pool';
import { forgetDestinationMinutes } from '../delivery-state/destination-minutes.queries';
import { forgetEventsBelow } from '../event-state/forget-events.queries';
import {
  areEventsSettled,
  countPartition,
  deleteStrayEntries,
  dropTables,
  ensurePartitions,
  existingTables,
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
/** How long the figures of a destination are kept. Its health looks back one hour. */
const KEPT_FIGURES_SECONDS = 48 * HOUR_SECONDS;
/** The tables whose weeks are dropped together, in the order in which all statements lock them. */
const PARENTS_OF_WEEK = [
  'events',
  'processing_attempts',
  'received_requests',
  'deliveries',
  'delivery_attempts',
  'event_revisions',
];
/** Only these names are put into statements. */
const OURS = /^(outbox_d\d{8}|(events|rejections)_y\d{4}w\d\d)$/;

/**
 * Creates partitions in advance and drops those past their retention. It keeps a partition with an open or FAILED
 * entry, an unresolved dead letter, a waiting retry, an open or failed delivery, or an entry that the reconciler has not
 * passed. A partition is dropped as a whole, so its oldest rows are kept a day (outbox) or a week (events, attempts,
 * deliveries, rejections) longer. Also forgets the figures of destinations after two days.
 */
@Injectable()
export class Retention {
  private readonly logger = new Logger('Retention');

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
  ) {}

  /** Returns the number of created partitions and the names of the dropped ones. */
  async runOnce(): Promise<{ made: number; dropped: string[] }> {
    const { OUTBOX_RETENTION_HOURS, EVENT_RETENTION_DAYS, REJECTION_RETENTION_DAYS } = this.settings;
    const made = (await this.unlessBusy(makePartitions)) ?? 0;
    if (made > 0) this.logger.log(`created ${made} partitions in advance`);
    const dropped: string[] = [];
    for (const partition of await this.ended('outbox', OUTBOX_RETENTION_HOURS * HOUR_SECONDS)) {
      if (await this.dropOutbox(partition)) dropped.push(partition.name);
    }
    await this.underLock((db) => deleteStrayEntries(db, OUTBOX_RETENTION_HOURS * HOUR_SECONDS, DELETE_BATCH));
    await this.forgetFigures();
    if (EVENT_RETENTION_DAYS > 0) dropped.push(...(await this.dropEvents(EVENT_RETENTION_DAYS * DAY_SECONDS)));
    if (REJECTION_RETENTION_DAYS > 0) {
      for (const partition of await this.ended('rejections', REJECTION_RETENTION_DAYS * DAY_SECONDS)) {
        if (await this.dropRejections(partition)) dropped.push(partition.name);
      }
    }
    if (dropped.length > 0) this.logger.log(`dropped partitions past their retention: ${dropped.join(', ')}`);
    return { made, dropped };
  }

  private async dropEvents(olderThanSeconds: number): Promise<string[]> {
    const dropped: string[] = [];
    let bound: string | undefined;
    for (const partition of await this.ended('events', olderThanSeconds)) {
      // Drops stop at the first partition that stays, so that no event remains below `bound`.
      if (!(await this.dropWeek(partition))) break;
      bound = partition.upper;
      dropped.push(partition.name);
    }
    if (bound !== undefined) await this.forgetBelow(bound);
    return dropped;
  }

  private async dropOutbox({ name }: Partition): Promise<boolean | undefined> {
    return this.unlessBusy(async (db) => {
      if (!(await isOutboxPartitionDone(db, name))) return false; // check before taking an exclusive lock
      await lockForDrop(db, ['outbox'], [name]);
      if (!(await isOutboxPartitionDone(db, name))) return false;
      await dropTables(db, [name]);
      return true;
    });
  }

  private async dropRejections({ name, lower, upper }: Partition): Promise<boolean | undefined> {
    return this.unlessBusy(async (db) => {
      const counts = { rejections: await countPartition(db, name) };
      await lockForDrop(db, ['rejections'], [name]);
      await dropTables(db, [name]);
      await this.record(db, { lower, upper }, counts, 'REJECTION_RETENTION_DAYS');
      return true;
    });
  }

  /** Drops the events of a week, their attempts and deliveries, and the requests of sources that they came in. */
  private async dropWeek(partition: Partition): Promise<boolean | undefined> {
    return this.unlessBusy(async (db) => {
      const endedAt = await instantOfBound(db, partition.upper);
      if (!(await areEventsSettled(db, partition, endedAt))) return false;
      const counts = { events: await countPartition(db, partition.name) }; // before the lock: it scans the partition
      const week = PARENTS_OF_WEEK.map((parent) => partition.name.replace('events', parent));
      const tables = await existingTables(db, week); // a week of before an upgrade lacks some
      await lockForDrop(db, PARENTS_OF_WEEK, tables);
      if (!(await areEventsSettled(db, partition, endedAt))) return false;
      await dropTables(db, tables);
      await this.record(db, partition, counts, 'EVENT_RETENTION_DAYS');
      return true;
    });
  }

  private async record(
    db: PoolClient,
    { lower, upper }: Pick<Partition, 'lower' | 'upper'>,
    counts: Record<string, number>,
    setting: string,
  ): Promise<void> {
    await recordSystemAction(db, {
      action: 'retention.drop',
      filter: { from: await instantOfBound(db, lower), to: await instantOfBound(db, upper) },
      counts,
      note: `older than ${setting}`,
    });
  }

  private async forgetFigures(): Promise<void> {
    const forget = (db: PoolClient) => forgetDestinationMinutes(db, KEPT_FIGURES_SECONDS, DELETE_BATCH);
    while ((await this.underLock(forget)) === DELETE_BATCH);
  }

  private async forgetBelow(bound: string): Promise<void> {
    while (await this.underLock((db) => forgetEventsBelow(db, bound, DELETE_BATCH)));
  }

  private async ended(parent: 'outbox' | 'events' | 'rejections', olderThanSeconds: number): Promise<Partition[]> {
    const partitions = await listEndedPartitions(this.pool, parent, olderThanSeconds);
    return partitions.filter(({ name }) => OURS.test(name));
  }

  /** Returns undefined if a table is in use or another process holds the lock. A later run tries again. */
  private async unlessBusy<T>(work: (db: PoolClient) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.underLock(work);
    } catch (error) {
      if (classifyPgError(error) !== 'transient') throw error; // lock_timeout, or a deadlock that was resolved
      return undefined;
    }
  }

  /** Returns undefined if another process holds the lock. */
  private underLock<T>(work: (db: PoolClient) => Promise<T>): Promise<T | undefined> {
    return inTransaction(this.pool, async (db) =>
      (await tryTransactionLock(db, ADVISORY_LOCKS.partitions)) ? work(db) : undefined,
    );
  }
}

/** Creating a partition locks the default partition, which a long report may be reading. */
async function makePartitions(db: PoolClient): Promise<number> {
  await waitBrieflyForLocks(db);
  return ensurePartitions(db);
}
