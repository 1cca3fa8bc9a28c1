import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { recordSystemAction } from '../audit/system-actions.queries';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import { areHeld } from '../db/retention/held-tables';
import { makePartitions, unlessBusy } from '../db/retention/make-partitions';
import { dropPartitions, lockBriefly } from '../db/retention/partitions.queries';
import { forgetDestinationMinutes } from '../delivery-state/destination-minutes.queries';
import { forgetEventsBelow } from '../event-state/forget-events.queries';
import { eachInTurn } from '../runtime/loops/each-in-turn';
import {
  areEventsSettled,
  countPartition,
  deleteStrayEntries,
  existingTables,
  instantOfBound,
  isOutboxPartitionDone,
  listEndedPartitions,
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

export interface RetentionRun {
  made: number;
  dropped: string[];
  /** Partitions that could not be made or dropped because others use the tables. */
  putOff: number;
  /** Another process was doing a part of it, which this run therefore left out. */
  elsewhere: boolean;
}

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

  /**
   * Returns what was done, and what was left to others or to a later run.
   * @throws the first failure, after the other parts have had their turn
   */
  async runOnce(): Promise<RetentionRun> {
    const { OUTBOX_RETENTION_HOURS, EVENT_RETENTION_DAYS, REJECTION_RETENTION_DAYS } = this.settings;
    const run: RetentionRun = { made: 0, putOff: 0, elsewhere: false, dropped: [] };
    const parts = [
      () => this.makePartitions(run),
      () => this.dropEntries(OUTBOX_RETENTION_HOURS * HOUR_SECONDS, run),
      () => this.forgetFigures(run),
      () => this.dropEvents(EVENT_RETENTION_DAYS * DAY_SECONDS, run),
      () => this.dropRejections(REJECTION_RETENTION_DAYS * DAY_SECONDS, run),
    ];
    try {
      await eachInTurn(parts, (part) => part());
    } finally {
      if (run.dropped.length > 0) this.logger.log(`dropped partitions past their retention: ${run.dropped.join(', ')}`);
    }
    return run;
  }

  private async makePartitions(run: RetentionRun): Promise<void> {
    Object.assign(run, await makePartitions(this.pool));
    if (run.made > 0) this.logger.log(`created ${run.made} partitions in advance`);
  }

  private async dropEntries(olderThanSeconds: number, run: RetentionRun): Promise<void> {
    for (const partition of await this.ended('outbox', olderThanSeconds)) await this.dropOutbox(partition, run);
    await this.underLock(run, (db) => deleteStrayEntries(db, olderThanSeconds, DELETE_BATCH));
  }

  private async dropRejections(olderThanSeconds: number, run: RetentionRun): Promise<void> {
    if (olderThanSeconds === 0) return;
    for (const partition of await this.ended('rejections', olderThanSeconds))
      await this.dropRejectionsOf(partition, run);
  }

  private async dropEvents(olderThanSeconds: number, run: RetentionRun): Promise<void> {
    if (olderThanSeconds === 0) return;
    let bound: string | undefined;
    for (const partition of await this.ended('events', olderThanSeconds)) {
      // Drops stop at the first partition that stays, so that no event remains below `bound`.
      if (!(await this.dropWeek(partition, run))) break;
      bound = partition.upper;
    }
    if (bound !== undefined) await this.forgetBelow(bound, run);
  }

  private dropOutbox({ name }: Partition, run: RetentionRun): Promise<boolean> {
    return this.drop({ parents: ['outbox'], partitions: [name] }, run, async (db, lock) => {
      if (!(await isOutboxPartitionDone(db, name))) return false; // check before taking an exclusive lock
      await lock();
      if (!(await isOutboxPartitionDone(db, name))) return false;
      await dropPartitions(db, [name]);
      return true;
    });
  }

  private dropRejectionsOf({ name, lower, upper }: Partition, run: RetentionRun): Promise<boolean> {
    return this.drop({ parents: ['rejections'], partitions: [name] }, run, async (db, lock) => {
      const counts = { rejections: await countPartition(db, name) };
      await lock();
      await dropPartitions(db, [name]);
      await this.record(db, { lower, upper }, counts, 'REJECTION_RETENTION_DAYS');
      return true;
    });
  }

  /** Drops the events of a week, their attempts and deliveries, and the requests of sources that they came in. */
  private async dropWeek(partition: Partition, run: RetentionRun): Promise<boolean> {
    const week = PARENTS_OF_WEEK.map((parent) => partition.name.replace('events', parent));
    const partitions = await existingTables(this.pool, week); // a week of before an upgrade lacks some
    return this.drop({ parents: PARENTS_OF_WEEK, partitions }, run, async (db, lock) => {
      const endedAt = await instantOfBound(db, partition.upper);
      if (!(await areEventsSettled(db, partition, endedAt))) return false;
      const counts = { events: await countPartition(db, partition.name) }; // before the lock: it scans the partition
      await lock();
      if (!(await areEventsSettled(db, partition, endedAt))) return false;
      await dropPartitions(db, partitions);
      await this.record(db, partition, counts, 'EVENT_RETENTION_DAYS');
      return true;
    });
  }

  /**
   * Runs `work`, which drops the partitions after it has locked them, unless somebody uses the tables for long. Dropping a
   * partition also locks the default one. Returns whether they were dropped.
   */
  private async drop(
    { parents, partitions }: { parents: readonly string[]; partitions: readonly string[] },
    run: RetentionRun,
    work: (db: PoolClient, lock: () => Promise<void>) => Promise<boolean>,
  ): Promise<boolean> {
    const locked = [...parents.map((parent) => `${parent}_default`), ...partitions];
    const isFree = !(await areHeld(this.pool, [...parents, ...locked]));
    const result = isFree
      ? await unlessBusy(this.pool, (db) => work(db, () => lockBriefly(db, parents, locked)))
      : 'busy';
    if (result === 'busy') run.putOff += 1;
    if (result === 'elsewhere') run.elsewhere = true;
    if (result !== true) return false;
    run.dropped.push(...partitions.slice(0, 1));
    return true;
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

  private async forgetFigures(run: RetentionRun): Promise<void> {
    const forget = (db: PoolClient) => forgetDestinationMinutes(db, KEPT_FIGURES_SECONDS, DELETE_BATCH);
    while ((await this.underLock(run, forget)) === DELETE_BATCH);
  }

  private async forgetBelow(bound: string, run: RetentionRun): Promise<void> {
    while (await this.underLock(run, (db) => forgetEventsBelow(db, bound, DELETE_BATCH)));
  }

  private async ended(parent: 'outbox' | 'events' | 'rejections', olderThanSeconds: number): Promise<Partition[]> {
    const partitions = await listEndedPartitions(this.pool, parent, olderThanSeconds);
    return partitions.filter(({ name }) => OURS.test(name));
  }

  /** Returns undefined, and says so in the run, if another process holds the lock. */
  private async underLock<T>(run: RetentionRun, work: (db: PoolClient) => Promise<T>): Promise<T | undefined> {
    const result = await underTransactionLock(this.pool, ADVISORY_LOCKS.partitions, work);
    if (result !== 'elsewhere') return result;
    run.elsewhere = true;
    return undefined;
  }
}
