const SOONEST_MS = 500;
const LATEST_MS = 300_000;

/**
 * Spreads what is put off over the time to come, one turn after the other: a destination that is down with thousands of
 * events waiting for it must not cost more than a trickle.
 */
export class Pace {
  private nextMs = 0;

  /** In how many ms the next one should come back: not before `earliestMs`, `intervalMs` after the one before it. */
  waitMs(nowMs: number, earliestMs: number, intervalMs: number): number {
    const turnMs = Math.max(this.nextMs, earliestMs, nowMs + SOONEST_MS);
    this.nextMs = Math.min(turnMs + intervalMs, nowMs + LATEST_MS);
    return Math.round(turnMs - nowMs);
  }

  reset(): void {
    this.nextMs = 0;
  }
}
