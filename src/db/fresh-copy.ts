/** Largest age of a copy in use. This long after a change is committed, every process applies it. */
export const MOST_AGE_MS = 500;
const REFRESH_AFTER_MS = 200;

/**
 * Keeps a copy of rows in memory that is never older than MOST_AGE_MS. There is no timer: whoever uses the copy calls
 * `ensure` first. The copy is refreshed in the background while it is younger than MOST_AGE_MS, and otherwise before
 * the caller proceeds. An idle process sends no query and a busy one five a second.
 */
export class FreshCopy {
  /** When the latest refresh started, in ms of performance.now(). The copy is at least as new. */
  private checkedMs = Number.NEGATIVE_INFINITY;
  /** A refresh that started before this time is not enough. */
  private invalidatedMs = Number.NEGATIVE_INFINITY;
  private refreshing: Promise<void> | undefined;

  /** @param refresh compares one version number, and reads the rows again if it has changed */
  constructor(private readonly refresh: () => Promise<void>) {}

  /**
   * Returns undefined if the copy may be used at once, otherwise a promise to wait for, which rejects with the error of
   * PostgreSQL when the copy cannot be refreshed.
   */
  ensure(): Promise<void> | undefined {
    const ageMs = performance.now() - this.checkedMs;
    if (ageMs > MOST_AGE_MS) return this.refreshSince(Math.max(performance.now() - MOST_AGE_MS, this.invalidatedMs));
    // Refreshed in the background. If that fails, the first caller after MOST_AGE_MS gets the error.
    if (ageMs > REFRESH_AFTER_MS) this.refreshOnce().catch(() => undefined);
    return undefined;
  }

  /** Makes the next call of `ensure` refresh first. */
  invalidate(): void {
    this.checkedMs = Number.NEGATIVE_INFINITY;
    this.invalidatedMs = performance.now();
  }

  /** A refresh that is under way may have started before that time. Then a further one is needed. */
  private async refreshSince(sinceMs: number): Promise<void> {
    await this.refreshOnce();
    if (this.checkedMs < sinceMs) await this.refreshOnce();
  }

  private refreshOnce(): Promise<void> {
    this.refreshing ??= this.run().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async run(): Promise<void> {
    const startedMs = performance.now();
    await this.refresh();
    if (startedMs >= this.invalidatedMs) this.checkedMs = startedMs;
  }
}
