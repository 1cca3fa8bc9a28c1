import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { reportOutage } from '../../db/outages';
import { isCancelled, isMaybeOfOne, isWorthWaitingFor } from '../../db/pg-errors';
import { InstallationMoved } from '../../integrity/installation';
import type { OwnStatements } from '../settle/own-statements';

const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
/** An item is given up after failing alone this many times with an error that waiting does not cure. */
export const MOST_FAILURES_ALONE = 3;

/** What follows the work on items. Each item gets one of these calls. */
export interface Endings<Item, Result> {
  done: (items: readonly Item[], result: Result) => void | Promise<void>;
  /** The worker stops. Nothing was done for the items. */
  stopped: (items: readonly Item[]) => void | Promise<void>;
  /** The item failed alone MOST_FAILURES_ALONE times, with errors that waiting does not cure. */
  failed: (item: Item, error: unknown) => void | Promise<void>;
}

type Ended<Result> = { kind: 'done'; result: Result } | { kind: 'stopped' } | { kind: 'failed'; error: unknown };

/**
 * Works on items together and repeats the work while PostgreSQL cannot be reached, or while the installation may not
 * act: messages that were requeued would be redelivered at once. Any other failure may be the fault of one item, so each
 * is then tried alone. An item that goes on failing is given up, because no item may stop those behind it.
 */
export class PatientWork {
  private readonly logger = new Logger('Worker');

  constructor(
    private readonly isStopping: () => boolean,
    private readonly own: Pick<OwnStatements, 'succeed'>,
  ) {}

  async run<Item, Result>(
    items: readonly Item[],
    work: (items: readonly Item[]) => Promise<Result>,
    endings: Endings<Item, Result>,
  ): Promise<void> {
    if (items.length > 1) {
      const together = await this.untilReachable(() => work(items));
      if (together.kind === 'done') return endings.done(items, together.result);
      if (together.kind === 'stopped') return endings.stopped(items);
      this.logger.warn(`${items.length} events failed together, and are tried alone: ${messageOf(together.error)}`);
    }
    for (const item of items) await this.alone(item, work, endings);
  }

  private async alone<Item, Result>(
    item: Item,
    work: (items: readonly Item[]) => Promise<Result>,
    endings: Endings<Item, Result>,
  ): Promise<void> {
    for (let failures = 1; ; failures++) {
      const ended = await this.untilReachable(() => work([item]));
      if (ended.kind === 'done') return endings.done([item], ended.result);
      if (ended.kind === 'stopped') return endings.stopped([item]);
      if (failures >= MOST_FAILURES_ALONE) return endings.failed(item, ended.error);
      await this.pause(MIN_PAUSE_MS * failures);
    }
  }

  private async untilReachable<Result>(work: () => Promise<Result>): Promise<Ended<Result>> {
    for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        return { kind: 'done', result: await work() };
      } catch (error) {
        const isMoved = error instanceof InstallationMoved; // which has its own line in the log
        if (!isMoved && !(await this.isWaitedFor(error)))
          return this.isStopping() ? { kind: 'stopped' } : { kind: 'failed', error };
        if (!isMoved && !reportOutage(error))
          this.logger.warn(`PostgreSQL is busy, and messages wait for it: ${messageOf(error)}`);
      }
      await this.pause(pauseMs);
      if (this.isStopping()) return { kind: 'stopped' };
    }
  }

  /** Waiting never ends if PostgreSQL is there and works, and one item is at fault. */
  private async isWaitedFor(error: unknown): Promise<boolean> {
    if (!isWorthWaitingFor(error)) return false;
    if (isCancelled(error)) return false; // somebody may hold a lock of one item
    return !isMaybeOfOne(error) || !(await this.own.succeed());
  }

  private async pause(ms: number): Promise<void> {
    for (let waitedMs = 0; waitedMs < ms && !this.isStopping(); waitedMs += MIN_PAUSE_MS) await sleep(MIN_PAUSE_MS);
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
