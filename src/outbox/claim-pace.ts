import type { PublishOutcome } from '../broker/broker';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * How much to claim next, and when: learnt from what became of the last publishes. After a channel error claims begin
 * again with one entry and double, so that a poison entry ends up alone and its neighbours are published meanwhile.
 * Where events are so large that their bytes end a claim, the next one looks at no more entries than this one could take.
 * While a broker confirms nothing at all, claims pause longer and longer, and each is a probe of one entry.
 */
export class ClaimPace {
  private size: number;
  private silentInRow = 0;
  private openUntilMs = 0;

  constructor(private readonly full: number) {
    this.size = full;
  }

  get limit(): number {
    return this.size;
  }

  /** Only then may a second claim be in flight: two probes on one channel could not be told apart. */
  get atFullSize(): boolean {
    return this.size === this.full;
  }

  /** 0 when the next claim may be made now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.openUntilMs - nowMs);
  }

  /** @param cutAt how many entries were as many bytes as a claim may hold, if that ended the claim */
  learn(outcomes: readonly PublishOutcome[], nowMs: number, cutAt = this.full): void {
    if (outcomes.length === 0) return;
    if (outcomes.every((outcome) => outcome === 'unconfirmed')) {
      this.openUntilMs = nowMs + Math.min(FIRST_PAUSE_MS * 2 ** this.silentInRow, LONGEST_PAUSE_MS);
      this.silentInRow += 1;
      this.size = 1;
      return;
    }
    this.silentInRow = 0;
    this.openUntilMs = 0;
    this.size = outcomes.includes('suspect') ? 1 : Math.min(this.size * 2, this.full, cutAt);
  }
}
