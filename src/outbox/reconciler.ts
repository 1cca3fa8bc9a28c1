import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { Broker, QUEUES } from '../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ADVISORY_LOCKS, tryTransactionLock } from '../db/advisory-locks';
import { inTransaction } from '../db/pool';
import { Metrics } from '../observability/metrics';
import { releaseLeasesTakenBefore } from './claim.queries';
import { dispatchLost } from '../event-state/dispatch-lost.queries';
import {
  databaseTime,
  listDispatchesAfter,
  movePosition,
  readPosition,
  type PublishedDispatch,
} from './reconciler.queries';

/** Most dispatches looked at in one transaction; also the rate limit, together with the pause between runs. */
const BATCH = 2_000;

/**
 * Finds events that the broker lost (I13). It follows the outbox: whatever the broker confirmed must have left a trace
 * in PostgreSQL within a grace period, or it is dispatched again. Each entry is looked at once; the position is kept in
 * the database. A broker that lives in this process forgets everything when the process ends, so what was published
 * before this start needs no grace.
 */
@Injectable()
export class Reconciler implements OnModuleInit {
  private readonly logger = new Logger('Reconciler');
  /** Where the present sweep is; undefined between two sweeps. */
  private sweptTo: string | undefined;
  /** The kept position, as this sweep last saw it. */
  private kept = '0';
  /** False when the present sweep has passed the last entry that the position may pass. */
  private keeping = true;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly broker: Broker,
    private readonly metrics: Metrics,
  ) {}

  /** Before the publisher starts: an in-process broker has nothing to say for what was published before. */
  async onModuleInit(): Promise<void> {
    if (this.broker.forgetsOnRestart) await this.recoverFromRestart();
  }

  /** One bounded step. Returns true when there may be more to do right away. */
  async runOnce(): Promise<boolean> {
    if (!this.broker.canPublish()) return false;
    const waiting = (await this.broker.waiting(QUEUES.main)) + (await this.broker.waiting(QUEUES.retry));
    if (waiting > 0) return false; // a queue that is not empty explains why something is not settled yet
    return inTransaction(this.pool, async (db) => {
      if (!(await tryTransactionLock(db, ADVISORY_LOCKS.reconciler))) return false;
      const publishedBefore = await databaseTime(db, this.settings.RECONCILE_AFTER_SECONDS);
      const position = this.sweptTo ?? (this.kept = await readPosition(db));
      const dispatches = await listDispatchesAfter(db, { position, limit: BATCH, publishedBefore });
      const firstYoung = dispatches.findIndex((dispatch) => !dispatch.publishedLongAgo && !dispatch.settled);
      const examined = firstYoung === -1 ? dispatches : dispatches.slice(0, firstYoung);
      await this.dispatchLost(db, examined);
      const more = (await this.keepPosition(db, examined)) && examined.length === BATCH;
      this.sweptTo = more ? examined.at(-1)?.outboxId : undefined;
      return more;
    });
  }

  /**
   * Ids are taken before they are committed, so the kept position stops where a lower one may still appear; a sweep goes
   * on beyond it and the next one looks there again. Returns false when the position was moved by somebody else, from
   * which the next sweep begins.
   */
  private async keepPosition(db: PoolClient, examined: PublishedDispatch[]): Promise<boolean> {
    if (this.sweptTo !== undefined && !this.keeping) return true;
    const unsafe = examined.findIndex(({ createdLongAgo }) => !createdLongAgo);
    const last = (unsafe === -1 ? examined : examined.slice(0, unsafe)).at(-1);
    this.keeping = unsafe === -1;
    if (!last) return true;
    const moved = await movePosition(db, { from: this.kept, to: last.outboxId });
    this.kept = last.outboxId;
    return moved;
  }

  /** Everything published before this start is gone from the in-process broker, leases of the dead process included. */
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
    this.logger.warn(`${dispatched} events were published but never settled; they are dispatched again`);
  }
}
