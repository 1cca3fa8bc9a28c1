import {
  Injectable,
  Logger,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pool } from 'pg';
import { loggedCause } from '../../db/outages';
import { ADVISORY_LOCKS, takeTransactionLock, tryTransactionLock } from '../../db/advisory-locks';
import { classifyPgError } from '../../db/pg-errors';
import { inTransaction, type Db } from '../../db/pool';
import { uuidV7Floor } from '../../event/uuid-v7';
import { Loop } from '../../runtime/loop';
import { recordCounts } from '../audit/audit.queries';
import { hasErased, sumOfCounts } from './erasure';
import { eraseAs } from './erasure-acts';
import { placeAfter } from './erasure-place';
import { stepPhase } from './erasure-step';
import { endErasure, listErasuresToDo, lockErasure, moveErasure } from './erasure.queries';
import { StatisticsRenewal } from './statistics/statistics-renewal';
import { awaitStatistics } from './statistics/statistics.queries';
import { LARGEST_STEP, StepSizes } from './step-sizes';

/** Most erasures stepped in one run. The next run continues after them, so that each gets its turn. */
const ERASURES_PER_RUN = 20;
const BUSY_MS = 10;
const IDLE_MS = 500;
/**
 * How long a step waits for a lock. A worker whose handlers run holds the attempts of its events. Without this limit, the
 * step would hold other events meanwhile, and their workers would wait for it. While a step waits for storedPayloads, no
 * backfill makes deliveries.
 */
const MOST_LOCK_WAIT_MS = 500;

/**
 * `moved`: an event was dispatched again in between, so the step was rolled back. `ended`: nothing is left to do.
 * `elsewhere`: another process is doing a step.
 */
type StepResult = 'stepped' | 'moved' | 'ended' | 'elsewhere';

/**
 * Carries out erasures. An advisory lock lets one process of the installation do so at a time. Each step is one
 * transaction: when a process dies, another continues after the last committed step.
 */
@Injectable()
export class ErasureLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new Loop('Erasures', () => this.runOnce());
  private readonly logger = new Logger('Erasures');
  private readonly sizes = new StepSizes();
  private readonly statistics: StatisticsRenewal;
  private lastStepped = uuidV7Floor(0);

  constructor(private readonly pool: Pool) {
    this.statistics = new StatisticsRenewal(pool);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.statistics.stop();
    await this.loop.stop();
  }

  /**
   * Runs one step of up to ERASURES_PER_RUN erasures, and ends those whose rows are all erased. Returns the wait before the
   * next run, in ms.
   */
  async runOnce(): Promise<number> {
    const ids = await listErasuresToDo(this.pool, this.lastStepped, ERASURES_PER_RUN);
    if (ids.length === 0) this.sizes.forgetAll();
    let isBusy = false;
    for (const id of ids) isBusy = (await this.stepSafely(id)) === 'stepped' || isBusy;
    await this.statistics.runOnce();
    const last = ids.length === ERASURES_PER_RUN ? ids.at(-1) : undefined;
    this.lastStepped = last ?? uuidV7Floor(0);
    return isBusy || last !== undefined ? BUSY_MS : IDLE_MS;
  }

  /** A step that fails is repeated in a later run, with half the size. The other erasures go on meanwhile. */
  private async stepSafely(id: string): Promise<StepResult | 'failed'> {
    try {
      const result = await this.step(id);
      if (result === 'stepped') this.sizes.succeeded(id);
      if (result === 'ended') this.sizes.forget(id);
      return result;
    } catch (error) {
      // Logged once, not with each repetition. A wait that took too long is no fault.
      const level = classifyPgError(error) === 'transient' ? 'warn' : 'error';
      if (this.sizes.failed(id))
        this.logger[level]({ msg: `a step of erasure ${id} failed and is repeated`, ...loggedCause(error) });
      return 'failed';
    }
  }

  private step(id: string): Promise<StepResult> {
    return inTransaction(
      this.pool,
      async (db) => {
        if (!(await tryTransactionLock(db, ADVISORY_LOCKS.erasureLoop))) return 'elsewhere';
        await takeTransactionLock(db, ADVISORY_LOCKS.storedPayloads, MOST_LOCK_WAIT_MS);
        await db.query(`set local lock_timeout = '${MOST_LOCK_WAIT_MS}ms'`);
        return stepErasure(db, id, this.sizes.of(id));
      },
      (result) => result !== 'moved',
    );
  }
}

/** Does one step of an erasure, with up to `most` events or rejections. The caller's transaction must be rolled back if this returns `moved`. */
export async function stepErasure(db: Db, id: string, most = LARGEST_STEP): Promise<StepResult> {
  const erasure = await lockErasure(db, id);
  if (!erasure) return 'ended';
  const step = await stepPhase(db, erasure.phase, { ...erasure, most }, eraseAs(id));
  if (!step) return 'moved';
  const counts = sumOfCounts(erasure.counts, step.counts);
  const next = placeAfter(erasure, step.position);
  await moveErasure(db, id, next ?? erasure, counts);
  if (next === undefined) {
    await recordCounts(db, id, { ...counts });
    if (hasErased(counts)) await awaitStatistics(db, id);
    else await endErasure(db, id, 'DONE');
  }
  return 'stepped';
}

/** The part of the erasures that runs in the publisher role. */
@Module({ providers: [ErasureLoop] })
export class ErasureModule {}
