import { setImmediate } from 'node:timers/promises';

/** Turns of the event loop in which a stage that has room takes what the stage before it holds. */
const TURNS_BETWEEN_STAGES = 3;

/** Counts the records of one stream that were found and whose results are not known yet. */
export class RecordsInHand {
  /** Records found so far. */
  total = 0;
  private count = 0;
  private earlierMs = 0;
  private sinceMs = 0;
  private readonly waiting = new Set<() => void>();

  /** Time in which there were such records: the sender may have waited for their results. */
  get waitedMs(): number {
    return this.earlierMs + (this.count > 0 ? performance.now() - this.sinceMs : 0);
  }

  found(): void {
    if (this.count === 0) this.sinceMs = performance.now();
    this.count += 1;
    this.total += 1;
  }

  settled(): void {
    if (this.count === 0) return; // given up
    this.count -= 1;
    if (this.count === 0) this.end();
  }

  /** The results will never be known: the stream has broken off. */
  giveUp(): void {
    if (this.count === 0) return;
    this.count = 0;
    this.end();
  }

  /** Resolves when there are none, and none on their way from one stage to the next. */
  async none(): Promise<void> {
    do {
      if (this.count > 0) await new Promise<void>((resolve) => this.waiting.add(resolve));
      for (let turn = 0; turn < TURNS_BETWEEN_STAGES; turn++) await setImmediate();
    } while (this.count > 0);
  }

  private end(): void {
    this.earlierMs += performance.now() - this.sinceMs;
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
