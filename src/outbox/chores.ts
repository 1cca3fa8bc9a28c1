import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { WakeUp } from '../redis/wake-up';
import { ADVISORY_LOCKS, tryTransactionLock } from '../db/advisory-locks';
import { inTransaction } from '../db/pool';
import { ChoreRecords } from '../db/retention/chore-records';
import type { Chore } from '../db/retention/chores';
import { extendChain, LINK_ROWS } from '../audit/extend-chain';
import { Loop } from '../runtime/loop';
import { closeBacklogs } from '../delivery-state/close-destination.queries';
import { dispatchDueRetries } from '../event-state/dispatch-due-retries.queries';
import { forgetSettledStarts } from '../event-state/forget-events.queries';
import { KeyPruning } from './key-pruning';
import { Reconciler } from './reconciler';
import { Retention, type RetentionRun } from './retention';

const DUE_RETRIES_EVERY_MS = 200;
const RECONCILE_EVERY_MS = 2_000;
const RETENTION_EVERY_MS = 600_000;
/** While partitions wait for locks of others, such as a dump. */
const RETENTION_AGAIN_MS = 60_000;
const FORGET_STARTS_EVERY_MS = 5_000;
const CLOSE_DESTINATIONS_EVERY_MS = 2_000;
const CHAIN_AUDIT_EVERY_MS = 60_000;
const RETRY_BATCH = 1_000;
const STARTS_BATCH = 1_000;
const CLOSED_BATCH = 1_000;

/**
 * Periodic work that one process does for the whole installation. There is no elected leader. Every publisher tries,
 * and an advisory lock for one transaction admits one of them, so a process that dies leaves no lock behind.
 */
@Injectable()
export class Chores implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Chores');
  private readonly loops = [
    this.loop('Due retries', 'due-retries', () => this.dueRetries()),
    this.loop('Reconciler', 'reconciler', () => this.reconcile()),
    new Loop('Retention', () => this.keepRetention()),
    this.loop('Crash counts', 'crash-counts', () => this.forgetStarts()),
    this.loop('Closed destinations', 'closed-destinations', () => this.closeDestinations()),
    this.loop('Key pruning', 'key-pruning', () => this.keyPruning.runOnce()),
    this.loop('Audit chain', 'audit-chain', () => this.chainAudit()),
  ];
  private readonly records: ChoreRecords;

  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: WakeUp,
    private readonly reconciler: Reconciler,
    private readonly retention: Retention,
    private readonly keyPruning: KeyPruning,
  ) {
    this.records = new ChoreRecords(pool);
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  private loop(name: string, chore: Chore, runOnce: () => Promise<number>): Loop {
    return new Loop(name, () => this.records.run(chore, runOnce));
  }

  private async dueRetries(): Promise<number> {
    const moved = await this.withLock(ADVISORY_LOCKS.dueRetries, (db) => dispatchDueRetries(db, RETRY_BATCH));
    if (moved > 0) this.wakeUp.signal();
    return moved === RETRY_BATCH ? 0 : DUE_RETRIES_EVERY_MS;
  }

  private async reconcile(): Promise<number> {
    return (await this.reconciler.runOnce()) ? 0 : RECONCILE_EVERY_MS;
  }

  private async keepRetention(): Promise<number> {
    const isPutOff = ({ putOff }: RetentionRun): boolean => putOff > 0;
    const run = await this.records.run('retention', () => this.retention.runOnce(), isPutOff);
    return isPutOff(run) ? RETENTION_AGAIN_MS : RETENTION_EVERY_MS;
  }

  private async forgetStarts(): Promise<number> {
    const forgotten = await forgetSettledStarts(this.pool, STARTS_BATCH);
    return forgotten === STARTS_BATCH ? 0 : FORGET_STARTS_EVERY_MS;
  }

  private async closeDestinations(): Promise<number> {
    const closed = await this.withLock(ADVISORY_LOCKS.closedDestinations, (db) => closeBacklogs(db, CLOSED_BATCH));
    return closed >= CLOSED_BATCH ? 0 : CLOSE_DESTINATIONS_EVERY_MS;
  }

  /** The log keeps the digest outside of the database. It shows if somebody makes the whole chain again. */
  private async chainAudit(): Promise<number> {
    const rows = await this.withLock(ADVISORY_LOCKS.auditChain, async (db) => {
      const link = await extendChain(db);
      if (!link) return 0;
      const { n, digest, entries, counts } = link;
      const covered = entries.ids.length + counts.ids.length;
      this.logger.log({ msg: 'audit.chained', link: n, digest: digest.toString('hex'), rows: covered });
      return covered;
    });
    return rows >= LINK_ROWS ? 0 : CHAIN_AUDIT_EVERY_MS;
  }

  private withLock(key: number, work: Parameters<typeof inTransaction<number>>[1]): Promise<number> {
    return inTransaction(this.pool, async (db) => ((await tryTransactionLock(db, key)) ? work(db) : 0));
  }
}
