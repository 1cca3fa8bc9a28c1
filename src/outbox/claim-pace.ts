import type { PublishOutcome } from '../broker/broker';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Adapts the size and the time of the next claim to the outcomes of the last publish.
 * - After a channel error, claims restart at one entry and double. This isolates a poison entry, and its neighbours are
 *   published in the meantime.
 * - After a claim that reached its byte limit, the next claim locks no more entries than that one could take.
 * - While the broker confirms nothing, the pauses between claims double, and each claim probes with one entry.
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

  /** A second claim needs the full size: the outcomes of two probes on one channel could not be told apart. */
  get atFullSize(): boolean {
    return this.size === this.full;
  }

  /** Returns 0 when the next claim may start now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.openUntilMs - nowMs);
  }

  /** @param cutAt the number of entries in the claim if it ended at its byte limit */
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
    this.size = outcomes.includes('channel-broken') ? 1 : Math.min(this.size * 2, this.full, cutAt);
  }
}
