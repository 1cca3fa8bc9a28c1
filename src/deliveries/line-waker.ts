import type { DeliveryLine } from './delivery-line';

const MOST_SLEEP_MS = 60_000;

/** Remembers which lines have to be looked at, and which of them later. */
export class LineWaker {
  private woken = new Set<DeliveryLine>();
  private readonly alarms = new Map<DeliveryLine, { atMs: number; timer: NodeJS.Timeout }>();
  private planned = false;
  private stopped = false;

  /** @param look called after a turn of the event loop, once for all that were woken in it */
  constructor(private readonly look: () => void) {}

  wake(line: DeliveryLine): void {
    this.woken.add(line);
    this.soon();
  }

  /** Looks after this turn, if a line has been woken. */
  soon(): void {
    if (this.planned || this.stopped || this.woken.size === 0) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      if (!this.stopped) this.look();
    });
  }

  /** Returns the lines that were woken since the last time. */
  take(): ReadonlySet<DeliveryLine> {
    const { woken } = this;
    this.woken = new Set();
    return woken;
  }

  /** Wakes a line at `dueMs`, or now if that is past. An earlier alarm stays: to look at a line too early does no harm. */
  at(line: DeliveryLine, dueMs: number, nowMs: number): void {
    if (dueMs <= nowMs) {
      this.wake(line);
      return;
    }
    const known = this.alarms.get(line);
    const atMs = Math.min(dueMs, nowMs + MOST_SLEEP_MS);
    if (this.stopped || dueMs === Infinity || (known && known.atMs <= atMs)) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      this.alarms.delete(line);
      this.wake(line);
    }, atMs - nowMs);
    this.alarms.set(line, { atMs, timer });
  }

  stop(): void {
    this.stopped = true;
    for (const { timer } of this.alarms.values()) clearTimeout(timer);
    this.alarms.clear();
  }
}
