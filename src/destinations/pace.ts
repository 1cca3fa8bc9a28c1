const SOONEST_MS = 500;
const LATEST_MS = 300_000;

/**
 * Spreads postponed events over the coming time, one turn after the other, so that a failing destination with thousands
 * of waiting events causes only a trickle of work.
 */
export class Pace {
  private nextMs = 0;

  /**
   * Returns in how many ms the next event should come back: not before `earliestMs`, and `intervalMs` after the event
   * before it. `nowMs` and `earliestMs` are instants.
   */
  waitMs(nowMs: number, earliestMs: number, intervalMs: number): number {
    const turnMs = Math.max(this.nextMs, earliestMs, nowMs + SOONEST_MS);
    this.nextMs = Math.min(turnMs + intervalMs, nowMs + LATEST_MS);
    return Math.round(turnMs - nowMs);
  }

  reset(): void {
    this.nextMs = 0;
  }
}
