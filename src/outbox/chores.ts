import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { WakeUp } from '../redis/wake-up';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import { ChoreRecords, type ChoreEnd } from '../db/retention/chore-records';
import type { Chore } from '../db/retention/chores';
import { extendChain, LINK_ROWS } from '../audit/extend-chain';
import { Loop } from '../runtime/loop';
import { closeBacklogs } from '../delivery-state/close-destination.queries';
import { keepOrder } from '../delivery-state/order/keep-order';
import { handOnTurns } from '../event-state/order/key-turns.queries';
import { dispatchDueRetries } from '../event-state/dispatch-due-retries.queries';
import { forgetSettledStarts } from '../event-state/forget-events.queries';
import { forgetTenantRests } from '../event-state/tenant-rests.queries';
import { MetricRollup } from '../metric-rollup/metric-rollup';
import { UsageCounting } from '../usage/usage-counting';
import { KeyPruning } from './key-pruning';
import { Reconciler } from './reconciler';
import { Retention, type RetentionRun } from './retention';

const DUE_RETRIES_EVERY_MS = 200;
const RECONCILE_EVERY_MS = 2_000;
const RETENTION_EVERY_MS = 600_000;
/** While partitions wait for locks of others, such as a dump, or another process has done a part. */
const RETENTION_AGAIN_MS = 60_000;
const FORGET_STARTS_EVERY_MS = 5_000;
const CLOSE_DESTINATIONS_EVERY_MS = 2_000;
const KEEP_ORDER_EVERY_MS = 1_000;
const CHAIN_AUDIT_EVERY_MS = 60_000;
/** How often a process that does not roll up or count usage looks whether another one still does. */
const ROLLUP_AGAIN_MS = 10_000;
const RETRY_BATCH = 1_000;
const STARTS_BATCH = 1_000;
const CLOSED_BATCH = 1_000;

/** How a run has ended. `more`: the next one follows at once. */
type Run = 'more' | 'done' | 'elsewhere';

/**
 * Periodic work that one process does for the whole installation. There is no elected leader. Every publisher tries,
 * and an advisory lock for one transaction admits one of them, so a process that dies leaves no lock behind.
 */
@Injectable()
export class Chores implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Chores');
  private readonly loops = [
    this.loop('Due retries', 'due-retries', DUE_RETRIES_EVERY_MS, () => this.dueRetries()),
    this.loop('Reconciler', 'reconciler', RECONCILE_EVERY_MS, () => this.reconcile()),
    new Loop('Retention', () => this.keepRetention()),
    this.loop('Crash counts', 'crash-counts', FORGET_STARTS_EVERY_MS, () => this.forgetStarts()),
    this.loop('Closed destinations', 'closed-destinations', CLOSE_DESTINATIONS_EVERY_MS, () =>
      this.closeDestinations(),
    ),
    this.loop('Ordered keys', 'ordered-keys', KEEP_ORDER_EVERY_MS, () => this.keepOrder()),
    new Loop('Key pruning', () => this.records.run('key-pruning', () => this.keyPruning.runOnce())),
    this.loop('Audit chain', 'audit-chain', CHAIN_AUDIT_EVERY_MS, () => this.chainAudit()),
    new Loop('Metric roll-up', () => this.rollUpMetrics()),
    new Loop('Usage', () => this.countUsage()),
  ];
  private readonly records: ChoreRecords;
  private readonly metricRollup: MetricRollup;
  private readonly usageCounting: UsageCounting;

  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: WakeUp,
    private readonly reconciler: Reconciler,
    private readonly retention: Retention,
    private readonly keyPruning: KeyPruning,
  ) {
    this.records = new ChoreRecords(pool);
    this.metricRollup = new MetricRollup(pool);
    this.usageCounting = new UsageCounting(pool);
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  private loop(name: string, chore: Chore, everyMs: number, runOnce: () => Promise<Run>): Loop {
    return new Loop(name, async () => {
      const run = await this.records.run(chore, runOnce, (result) => (result === 'elsewhere' ? result : 'done'));
      return run === 'more' ? 0 : everyMs;
    });
  }

  private async dueRetries(): Promise<Run> {
    const { pool } = this;
    const moved = await underTransactionLock(pool, ADVISORY_LOCKS.dueRetries, (db) =>
      dispatchDueRetries(db, RETRY_BATCH),
    );
    if (moved !== 'elsewhere' && moved > 0) this.wakeUp.signal();
    return ended(moved, RETRY_BATCH);
  }

  private async reconcile(): Promise<Run> {
    const more = await this.reconciler.runOnce();
    if (more === 'elsewhere') return more;
    return more ? 'more' : 'done';
  }

  private async keepRetention(): Promise<number> {
    const run = await this.records.run('retention', () => this.retention.runOnce(), endOfRetention);
    if (endOfRetention(run) === 'done') return RETENTION_EVERY_MS;
    return RETENTION_AGAIN_MS * (1 + Math.random() / 2); // so that two processes do not meet again and again
  }

  private async rollUpMetrics(): Promise<number> {
    const run = () => this.metricRollup.runOnce();
    const waitMs = await this.records.run('metric-rollup', run, (result) => (result === 'elsewhere' ? result : 'done'));
    return waitMs === 'elsewhere' ? ROLLUP_AGAIN_MS : waitMs;
  }

  private async countUsage(): Promise<number> {
    const run = () => this.usageCounting.runOnce();
    const waitMs = await this.records.run('usage', run, (result) => (result === 'elsewhere' ? result : 'done'));
    return waitMs === 'elsewhere' ? ROLLUP_AGAIN_MS : waitMs;
  }

  private async forgetStarts(): Promise<Run> {
    await forgetTenantRests(this.pool);
    return ended(await forgetSettledStarts(this.pool, STARTS_BATCH), STARTS_BATCH);
  }

  private async closeDestinations(): Promise<Run> {
    return ended(await closeBacklogs(this.pool, CLOSED_BATCH), CLOSED_BATCH);
  }

  private async keepOrder(): Promise<Run> {
    let dispatched = 0;
    const more = await keepOrder(this.pool, async (db, keys) => (dispatched += await handOnTurns(db, keys)));
    if (dispatched > 0) this.wakeUp.signal();
    if (more === 'elsewhere') return more;
    return more ? 'more' : 'done';
  }

  /** The log keeps the digest outside of the database. It shows if somebody makes the whole chain again. */
  private async chainAudit(): Promise<Run> {
    const rows = await underTransactionLock(this.pool, ADVISORY_LOCKS.auditChain, async (db) => {
      const link = await extendChain(db);
      if (!link) return 0;
      const { n, digest, entries, counts } = link;
      const covered = entries.ids.length + counts.ids.length;
      this.logger.log({ msg: 'audit.chained', link: n, digest: digest.toString('hex'), rows: covered });
      return covered;
    });
    return ended(rows, LINK_ROWS);
  }
}

/** @param count how many of at most `most` the run has worked on */
function ended(count: number | 'elsewhere', most: number): Run {
  if (count === 'elsewhere') return count;
  return count >= most ? 'more' : 'done';
}

function endOfRetention({ putOff, elsewhere }: RetentionRun): ChoreEnd {
  if (elsewhere) return 'elsewhere';
  return putOff > 0 ? 'put off' : 'done';
}
