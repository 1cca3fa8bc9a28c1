import { Injectable, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import { ADVISORY_LOCKS, tryTransactionLock } from '../../db/advisory-locks';
import { countOpenEntries } from '../../event-state/figures.queries';
import { inTransaction } from '../../db/pool';
import { uuidV7Floor } from '../../event/uuid-v7';
import { Loop } from '../../runtime/loop';
import { stepReplay } from './replay-step';
import { listUnfinished, lockReplay } from './replay.queries';

/** Events sent in one transaction. */
const EVENTS_PER_STEP = 200;
/** While more entries than this are open in the outbox, replays wait: fresh events go first. */
const MOST_OPEN = 400;
/** Replays that get a step in one run; the next run goes on with those behind them, so that none is left out. */
const REPLAYS_PER_RUN = 20;
const BUSY_MS = 50;
const IDLE_MS = 500;

/**
 * Works replays off, one process at a time for the whole installation. Each step is a transaction of its own, so a
 * process that dies leaves a replay where its last step ended, and the next one goes on there.
 */
@Injectable()
export class ReplayLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new Loop('Replays', () => this.runOnce());
  private lastStepped = uuidV7Floor(0);

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

  /** One step of each replay in hand. Returns the wait before the next, in ms. */
  async runOnce(): Promise<number> {
    let moved = false;
    const ids = await listUnfinished(this.pool, this.lastStepped, REPLAYS_PER_RUN);
    for (const id of ids) moved = (await this.step(id)) || moved;
    const last = ids.length === REPLAYS_PER_RUN ? ids.at(-1) : undefined;
    this.lastStepped = last ?? uuidV7Floor(0);
    if (moved) this.wakeUp.signal();
    return moved ? BUSY_MS : IDLE_MS;
  }

  private step(id: string): Promise<boolean> {
    return inTransaction(this.pool, async (db) => {
      if (!(await tryTransactionLock(db, ADVISORY_LOCKS.replays))) return false;
      const replay = await lockReplay(db, id);
      if (!replay) return false;
      const open = await countOpenEntries(db, MOST_OPEN);
      return stepReplay(db, replay, Math.min(EVENTS_PER_STEP, MOST_OPEN - open));
    });
  }
}

/** The part of the admin side that publishers run. */
@Module({ providers: [ReplayLoop] })
export class ReplayModule {}
