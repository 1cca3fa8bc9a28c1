import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { Broker, QUEUES } from '../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import { Metrics } from '../observability/metrics';
import { releaseLeasesTakenBefore } from './close-entries.queries';
import { dispatchLost } from '../event-state/dispatch-lost.queries';
import {
  databaseTime,
  listDispatchesAfter,
  movePosition,
  readPosition,
  type PublishedDispatch,
} from './reconciler.queries';

/** Dispatches examined in one transaction. With the pause between runs, this is also the rate limit. */
const BATCH = 2_000;
/** A sweep past open entries begins where the last one began, so it takes at most this part of the time. */
const PART_OF_TIME = 0.1;

/**
 * Finds events that the broker lost (I13). It walks the outbox and dispatches every confirmed entry again that has no
 * result in PostgreSQL after the grace period. Each entry is examined once, and the position is stored in the database.
 * An in-process broker loses its messages when the process ends, so entries published before the start get no grace.
 */
@Injectable()
export class Reconciler implements OnModuleInit {
  private readonly logger = new Logger('Reconciler');
  /** The position of the current sweep; undefined between sweeps. */
  private sweptTo: string | undefined;
  /** The stored position, as this sweep last read or wrote it. */
  private kept = '0';
  /** False once this sweep is past the last position that is safe to store. */
  private keeping = true;
  /** When the current sweep began, by performance.now(). */
  private beganMs = 0;
  /** True once this sweep is past an open entry, such as those of a tenant that rests. */
  private isPastOpen = false;
  private pauseUntilMs = -Infinity;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly broker: Broker,
    private readonly metrics: Metrics,
  ) {}

  /** Runs before the publisher starts. An in-process broker has lost everything that was published before. */
  async onModuleInit(): Promise<void> {
    if (this.broker.forgetsOnRestart) await this.recoverFromRestart();
  }

  /** Runs one bounded step. Returns true if there may be more to do at once, `elsewhere` if another process does it. */
  async runOnce(): Promise<boolean | 'elsewhere'> {
    if (!this.broker.canPublish() || performance.now() < this.pauseUntilMs) return false;
    const waiting = (await this.broker.waiting(QUEUES.main)) + (await this.broker.waiting(QUEUES.retry));
    if (waiting > 0) return false; // events in a queue are late, not lost
    return underTransactionLock(this.pool, ADVISORY_LOCKS.reconciler, async (db) => {
      const publishedBefore = await databaseTime(db, this.settings.RECONCILE_AFTER_SECONDS);
      const position = this.sweptTo ?? (await this.begin(db));
      const dispatches = await listDispatchesAfter(db, { position, limit: BATCH, publishedBefore });
      const firstYoung = dispatches.findIndex(
        ({ publishedLongAgo, settled, open }) => !publishedLongAgo && !settled && !open,
      );
      const examined = firstYoung === -1 ? dispatches : dispatches.slice(0, firstYoung);
      this.isPastOpen ||= examined.some(({ open }) => open);
      await this.dispatchLost(
        db,
        examined.filter(({ open }) => !open),
      );
      const more = (await this.keepPosition(db, examined)) && examined.length === BATCH;
      this.sweptTo = more ? examined.at(-1)?.outboxId : undefined;
      if (!more && this.isPastOpen) this.pause();
      return more;
    });
  }

  private async begin(db: PoolClient): Promise<string> {
    this.kept = await readPosition(db);
    this.beganMs = performance.now();
    this.isPastOpen = false;
    return this.kept;
  }

  private pause(): void {
    const nowMs = performance.now();
    this.pauseUntilMs = nowMs + (nowMs - this.beganMs) / PART_OF_TIME;
  }

  /**
   * A transaction takes its entry ids before it commits. The stored position therefore stops where a lower id may still
   * appear, and before the first open entry. The sweep continues past it, and the next sweep examines that part again. Returns false if a requeue has
   * moved the position; the next sweep starts there.
   */
  private async keepPosition(db: PoolClient, examined: PublishedDispatch[]): Promise<boolean> {
    if (this.sweptTo !== undefined && !this.keeping) return true;
    const unsafe = examined.findIndex(({ createdLongAgo, open }) => !createdLongAgo || open);
    const last = (unsafe === -1 ? examined : examined.slice(0, unsafe)).at(-1);
    this.keeping = unsafe === -1;
    if (!last) return true;
    const moved = await movePosition(db, { from: this.kept, to: last.outboxId });
    this.kept = last.outboxId;
    return moved;
  }

  /** Dispatches again whatever was published before this start, and releases the leases of the dead process. */
  private async recoverFromRestart(): Promise<void> {
    const startedAt = await databaseTime(this.pool, 0);
    await releaseLeasesTakenBefore(this.pool, startedAt);
    for (let position = await readPosition(this.pool), more = true; more;) {
      const query = { position, limit: BATCH, publishedBefore: startedAt };
      const dispatches = await listDispatchesAfter(this.pool, query);
      await this.dispatchLost(
        this.pool,
        dispatches.filter(({ publishedLongAgo }) => publishedLongAgo),
      );
      position = dispatches.at(-1)?.outboxId ?? position;
      more = dispatches.length === BATCH;
    }
  }

  private async dispatchLost(db: Pool | PoolClient, examined: PublishedDispatch[]): Promise<void> {
    const lost = examined.filter(({ settled }) => !settled);
    if (lost.length === 0) return;
    const dispatched = await dispatchLost(db, lost);
    this.metrics.reconciled.inc(dispatched);
    this.logger.warn(`dispatched ${dispatched} events again that were published but never settled`);
  }
}
