import {
  Injectable,
  Logger,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pool } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import {
  ADVISORY_LOCKS,
  shareTransactionLock,
  STORED_PAYLOADS_WAIT_MS,
  tryTransactionLock,
} from '../../db/advisory-locks';
import { countOpenEntries } from '../../event-state/figures.queries';
import { inTransaction } from '../../db/pool';
import { uuidV7Floor } from '../../event/uuid-v7';
import { Loop } from '../../runtime/loop';
import { FailingItems } from '../../runtime/loops/failing-items';
import { listUnfinishedBackfills, lockBackfill } from './backfill.queries';
import { stepBackfill } from './backfill-step';
import { stepReplay } from './replay-step';
import { listUnfinished, lockReplay } from './replay.queries';

/** Maximum number of events dispatched in one transaction. */
const EVENTS_PER_STEP = 200;
/** Replays fill the outbox up to this many open entries of their tenant, then wait, so that its new events are not delayed. */
const MOST_OPEN = 400;
/** Maximum number of replays stepped in one run. The next run continues after them, so that each replay gets its turn. */
const REPLAYS_PER_RUN = 20;
const BUSY_MS = 50;
const IDLE_MS = 500;

/**
 * Advances the running replays. An advisory lock lets one process of the installation do so at a time. Each step is one
 * transaction: when a process dies, another continues after the last committed step.
 */
@Injectable()
export class ReplayLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new Loop('Replays', () => this.runOnce());
  private readonly replays = new FailingItems(new Logger('Replays'), 'replay');
  private readonly backfills = new FailingItems(new Logger('Replays'), 'backfill');
  private lastStepped = uuidV7Floor(0);
  private lastFilled = uuidV7Floor(0);

  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: WakeUp,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Runs one step of up to REPLAYS_PER_RUN replays and as many backfills. Returns the wait before the next run, in ms. */
  async runOnce(): Promise<number> {
    const ids = await listUnfinished(this.pool, this.lastStepped, REPLAYS_PER_RUN);
    const hasReplayed = await this.replays.step(ids, (id) => this.step(id));
    const last = ids.length === REPLAYS_PER_RUN ? ids.at(-1) : undefined;
    this.lastStepped = last ?? uuidV7Floor(0);
    if (hasReplayed) this.wakeUp.signal();
    const hasFilled = await this.backfills.step(await this.nextBackfills(), (id) => this.stepBackfill(id));
    return hasReplayed || hasFilled ? BUSY_MS : IDLE_MS;
  }

  private async nextBackfills(): Promise<string[]> {
    const ids = await listUnfinishedBackfills(this.pool, this.lastFilled, REPLAYS_PER_RUN);
    const last = ids.length === REPLAYS_PER_RUN ? ids.at(-1) : undefined;
    this.lastFilled = last ?? uuidV7Floor(0);
    return ids;
  }

  private stepBackfill(id: string): Promise<boolean> {
    return inTransaction(this.pool, async (db) => {
      // Before the row of the backfill, which an erasure locks after it.
      await shareTransactionLock(db, ADVISORY_LOCKS.storedPayloads, STORED_PAYLOADS_WAIT_MS);
      const backfill = await lockBackfill(db, id);
      return backfill ? stepBackfill(db, backfill) : false;
    });
  }

  private step(id: string): Promise<boolean> {
    return inTransaction(this.pool, async (db) => {
      if (!(await tryTransactionLock(db, ADVISORY_LOCKS.replays))) return false;
      const replay = await lockReplay(db, id);
      if (!replay) return false;
      // What is sent to one destination needs no entries.
      const open = replay.destinationId === null ? await countOpenEntries(db, replay.tenantId, MOST_OPEN) : 0;
      return stepReplay(db, replay, Math.min(EVENTS_PER_STEP, MOST_OPEN - open));
    });
  }
}

/** The part of the admin code that runs in the publisher role. */
@Module({ providers: [ReplayLoop] })
export class ReplayModule {}
