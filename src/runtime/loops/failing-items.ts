import type { Logger } from '@nestjs/common';
import { loggedCause } from '../../db/outages';
import { classifyPgError, failsForAll } from '../../db/pg-errors';

const FIRST_PAUSE_MS = 1_000;
const MOST_PAUSE_MS = 60_000;
/** Beyond this number, the one that failed first is forgotten, and is tried and logged anew. */
const MOST_REMEMBERED = 1_000;

interface Failed {
  pauseMs: number;
  untilMs: number;
}

/**
 * Steps the items of a loop, so that one that fails does not stop those behind it. It is left out for a second, and twice
 * as long after each further failure, up to a minute. The log has one line until it succeeds.
 */
export class FailingItems {
  private readonly failed = new Map<string, Failed>();

  /** @param kind names an item in the log, as "replay" */
  constructor(
    private readonly logger: Logger,
    private readonly kind: string,
  ) {}

  /**
   * Returns whether a step has returned true.
   * @throws the failure of a step if PostgreSQL cannot do its work: the others would wait for the same
   */
  async step(ids: readonly string[], step: (id: string) => Promise<boolean>): Promise<boolean> {
    let hasMoved = false;
    for (const id of ids) {
      if (performance.now() < (this.failed.get(id)?.untilMs ?? 0)) continue;
      try {
        hasMoved = (await step(id)) || hasMoved;
        this.failed.delete(id);
      } catch (error) {
        if (failsForAll(error)) throw error;
        this.leaveOut(id, error);
      }
    }
    return hasMoved;
  }

  private leaveOut(id: string, error: unknown): void {
    const before = this.failed.get(id);
    const pauseMs = before ? Math.min(before.pauseMs * 2, MOST_PAUSE_MS) : FIRST_PAUSE_MS;
    this.failed.set(id, { pauseMs, untilMs: performance.now() + pauseMs });
    const [first] = this.failed.keys();
    if (this.failed.size > MOST_REMEMBERED && first !== undefined) this.failed.delete(first);
    if (before) return;
    // Somebody may hold a lock: that is no fault.
    const level = classifyPgError(error) === 'transient' ? 'warn' : 'error';
    this.logger[level]({ msg: `a step of ${this.kind} ${id} failed and is repeated`, ...loggedCause(error) });
  }
}
