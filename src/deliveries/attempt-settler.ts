import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { reportOutage } from '../db/outages';
import { classifyPgError, isMaybeOfOne, isWorthWaitingFor } from '../db/pg-errors';
import { inTransaction } from '../db/pool';
import { releaseDeliveries } from '../delivery-state/settle-deliveries.queries';
import { settleWithHealth, textOfDelivery, type SettledAttempts } from '../delivery-state/settle-with-health';
import { healthOfBatch } from './batch-health';
import { batchWaitMs, MOST_IN_A_BATCH } from './decide/batch-wait';
import type { DeliveryLine } from './delivery-line';
import { endedAttempt, type AttemptOutcome, type ReleasedDelivery } from './delivery-outcome';
import { DeliveryReport } from './delivery-report';

/** With more than this waiting, no delivery is started. */
const MOST_WAITING = 2_000;
const PAUSE_MS = 200;
/** After this time the lease has expired, and another worker has the delivery. */
const MOST_PATIENCE_MS = 120_000;
/** Failures of one result alone, with another cause than PostgreSQL, after which it is given up: its lease expires. */
const MOST_FAILURES_ALONE = 3;

/** Plans keep to the indexes, whatever the statistics say. Unlike that of a claim, the commit waits for the disk. */
const SETTLE_SETTINGS =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off';

/** `suspect`: PostgreSQL refuses what it may refuse because of one result (failure-classes.ts). */
type Recorded = 'done' | 'refused' | 'suspect';

/**
 * Settles attempts in batches: while one batch is being settled, and a while longer (batch-wait.ts), the attempts that end
 * form the next one. Waits for PostgreSQL if it cannot be reached.
 */
@Injectable()
export class AttemptSettler {
  private readonly logger = new Logger('Deliveries');
  private readonly worker = `${hostname()}:${process.pid}`;
  private outcomes: AttemptOutcome[] = [];
  private released: ReleasedDelivery[] = [];
  private running: Promise<void> | undefined;
  private stopping = false;
  private beganMs = -Infinity;
  /** Called with the line of each delivery that has been settled or released. */
  onChanged: (line: DeliveryLine) => void = () => undefined;

  constructor(
    private readonly pool: Pool,
    private readonly report: DeliveryReport,
  ) {}

  get hasRoom(): boolean {
    return this.outcomes.length < MOST_WAITING;
  }

  settle(outcome: AttemptOutcome): void {
    this.outcomes.push(outcome);
    this.running ??= this.run();
  }

  release(released: ReleasedDelivery): void {
    this.released.push(released);
    this.running ??= this.run();
  }

  /** Settles what has ended. From now on, it no longer waits for a PostgreSQL that cannot be reached. */
  async stop(): Promise<void> {
    this.stopping = true;
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    await Promise.resolve(); // lets attempts that end in this tick join the batch
    while (this.outcomes.length + this.released.length > 0) {
      await this.waitForMore();
      this.beganMs = performance.now();
      const released = this.released.splice(0, MOST_IN_A_BATCH);
      if (released.length > 0) await this.patiently(released, () => this.giveBack(released));
      const outcomes = this.outcomes.splice(0, MOST_IN_A_BATCH);
      if (outcomes.length > 0) await this.settleBatch(outcomes);
    }
    this.running = undefined;
  }

  private async waitForMore(): Promise<void> {
    const waiting = this.outcomes.length + this.released.length;
    const ordered = this.outcomes.some(({ line }) => line.destination.ordering === 'key');
    const waitMs = batchWaitMs({ waiting, ordered, sinceBeforeMs: performance.now() - this.beganMs });
    if (waitMs > 0 && !this.stopping) await sleep(waitMs);
  }

  /**
   * Settles a batch, or else each result alone. While PostgreSQL refuses every one of them, waits, and tries those that end
   * in the meantime: if one of these can be recorded, the others are at fault and do not hold it up any longer.
   */
  private async settleBatch(batch: readonly AttemptOutcome[]): Promise<void> {
    const untilMs = performance.now() + MOST_PATIENCE_MS;
    for (let all = batch, untried = batch; ; await sleep(PAUSE_MS)) {
      const together = all;
      const result = await this.patiently(together, () => this.commit(together), false);
      if (result === 'done') return;
      if (result === 'refused') return this.tryAgain((await this.settleEach(together)).left);
      const { left, suspects } = await this.settleEach(untried);
      if (suspects < untried.length) {
        const tried = together.filter((outcome) => !untried.includes(outcome));
        return this.tryAgain([...tried, ...left]);
      }
      if (this.stopping || performance.now() > untilMs) return this.leaveToOthers(together.length);
      untried = this.outcomes.splice(0, MOST_IN_A_BATCH - together.length);
      all = [...together, ...untried];
    }
  }

  private async tryAgain(outcomes: readonly AttemptOutcome[]): Promise<void> {
    let left = outcomes;
    for (let failures = 2; left.length > 0 && failures <= MOST_FAILURES_ALONE; failures++) {
      if (!this.stopping) await sleep(PAUSE_MS * failures);
      ({ left } = await this.settleEach(left));
    }
  }

  /** Settles each alone. A result that cannot be recorded does not hold up the others: the delivery is sent again. */
  private async settleEach(
    outcomes: readonly AttemptOutcome[],
  ): Promise<{ left: readonly AttemptOutcome[]; suspects: number }> {
    const left: AttemptOutcome[] = [];
    let suspects = 0;
    for (const outcome of outcomes) {
      const recorded = await this.patiently([outcome], () => this.commit([outcome]), false);
      if (recorded !== 'done') left.push(outcome);
      if (recorded === 'suspect') suspects += 1;
    }
    return { left, suspects };
  }

  private async commit(outcomes: readonly AttemptOutcome[]): Promise<void> {
    const { settled, failing, unparked } = await inTransaction(this.pool, (db) => this.write(db, outcomes));
    const numbers = new Map(settled.map((one) => [textOfDelivery(one), one.attemptNumber]));
    const nowMs = performance.now();
    const lines = new Map(outcomes.map(({ line }) => [line.destination.id, line]));
    for (const one of failing) lines.get(one.destinationId)?.failing(one, nowMs);
    for (const id of unparked) lines.get(id)?.note(0, nowMs);
    this.report.lostLeases(outcomes.length - numbers.size);
    for (const outcome of outcomes) {
      const attemptNumber = numbers.get(textOfDelivery(outcome.delivery));
      if (attemptNumber === undefined) continue;
      this.report.settled(outcome, attemptNumber);
      const { line, next } = outcome;
      if (next.kind === 'retry') line.note(next.waitSeconds * 1_000, nowMs);
      this.onChanged(line);
    }
  }

  private async write(db: PoolClient, outcomes: readonly AttemptOutcome[]): Promise<SettledAttempts> {
    // Sent together, the settings first. The transaction fails with any of them.
    const [, settled] = await Promise.all([
      db.query(SETTLE_SETTINGS),
      settleWithHealth(db, outcomes.map(endedAttempt), healthOfBatch(outcomes), this.worker),
    ]);
    return settled;
  }

  private async giveBack(released: readonly ReleasedDelivery[]): Promise<void> {
    await releaseDeliveries(
      this.pool,
      released.map(({ delivery, waitSeconds }) => ({ ...delivery, waitSeconds })),
    );
    const nowMs = performance.now();
    for (const { line, waitSeconds } of released) {
      line.note(waitSeconds * 1_000, nowMs);
      this.onChanged(line);
    }
  }

  /**
   * Repeats `work` while PostgreSQL cannot do it (failure-classes.ts), for as long as a lease may last: what a destination has accepted
   * must not be sent again because of that. After any other failure, waiting may never end.
   * @param waits whether to wait after a failure that one of the results may cause
   */
  private async patiently(items: readonly unknown[], work: () => Promise<void>, waits = true): Promise<Recorded> {
    const untilMs = performance.now() + MOST_PATIENCE_MS;
    for (;;) {
      try {
        await work();
        return 'done';
      } catch (error) {
        const count = items.length;
        // At a shutdown nothing is repeated, so one deadlock must not cost the results of the whole batch.
        const isOfOne = count > 1 && this.stopping && classifyPgError(error) === 'transient';
        reportOutage(error);
        if (isMaybeOfOne(error) && !waits) return 'suspect';
        if (!isWorthWaitingFor(error) || isOfOne) {
          this.logger.error({ msg: `${count} results of deliveries could not be recorded`, err: error });
          return 'refused';
        }
        if (this.stopping || performance.now() > untilMs) {
          this.leaveToOthers(count, error);
          return 'done';
        }
      }
      await sleep(PAUSE_MS);
    }
  }

  private leaveToOthers(count: number, error?: unknown): void {
    this.logger.warn({
      msg: `${count} results of deliveries were not recorded; these deliveries are sent again`,
      err: error,
    });
  }
}
