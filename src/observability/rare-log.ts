const EVERY_MS = 60_000;

/** Lets through one log line a minute, which states how many lines it stands for, itself included. */
export class RareLog {
  private leftOut = 0;
  private quietUntilMs = -Infinity;

  /** @param write gets how many lines this one stands for */
  log(write: (count: number) => void, count = 1, nowMs = performance.now()): void {
    this.leftOut += count;
    if (nowMs < this.quietUntilMs) return;
    this.quietUntilMs = nowMs + EVERY_MS;
    write(this.leftOut);
    this.leftOut = 0;
  }
}
