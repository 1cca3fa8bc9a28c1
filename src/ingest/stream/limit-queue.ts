import type { Measure, Meter, Reservation } from '../../access/limits/meter';
import type { Problem } from '../../event/problems';
import { WINDOW_MS } from '../../redis/window-counter';
import { evenLimit, waitMs, type Minute } from './even-pace';

/** How often streams that wait look at whether they may go on and whether the limit has changed. */
const CHECK_EVERY_MS = 250;

/** One wait of a stream for a limit. */
export interface Wait {
  measure: Measure;
  wanted: number;
  /** When to stop waiting, by `performance.now()`. */
  endsAtMs: number;
  /** Returns why the stream may not go on, or undefined. */
  refusal: () => Promise<Problem | undefined>;
  /** Ends the wait; without a reservation when its time is over. */
  end: (reservation?: Reservation) => void;
  fail: (error: unknown) => void;
}

/**
 * The streams of one tenant in this process that wait for one of its limits. They are served in turn, with one timer for
 * all of them. Once they had to wait, and until a minute passes in which the limit is less than half used, streams
 * spread the limit evenly over the minute, so that each goes on moving.
 */
export class LimitQueue {
  private readonly waits = new Set<Wait>();
  private serving = false;
  private evenUntilMs = 0;

  constructor(
    private readonly tenantId: string,
    private readonly meter: Meter,
  ) {}

  /** Reserves without waiting. Returns undefined when other streams wait or the limit is used up. */
  async reserveNow(wanted: number): Promise<Reservation | undefined> {
    if (this.waits.size > 0) return undefined;
    const reservation = await this.reserve(wanted);
    return reservation.points > 0 ? reservation : undefined;
  }

  wait(wait: Wait): void {
    this.waits.add(wait);
    if (this.serving) return;
    this.serving = true;
    this.serve().catch((error: unknown) => {
      this.serving = false;
      for (const one of this.waits) one.fail(error);
      this.waits.clear();
    });
  }

  leave(wait: Wait): void {
    this.waits.delete(wait);
  }

  private async serve(): Promise<void> {
    for (;;) {
      const [next] = this.waits;
      if (!next) {
        this.serving = false;
        return;
      }
      const reservation = await this.reserve(next.wanted);
      if (reservation.points > 0) {
        if (this.waits.delete(next)) next.end(reservation);
        else this.meter.giveBack(reservation, reservation.points); // it has left meanwhile
        continue;
      }
      const minute = this.minute();
      if (minute.used * 2 >= minute.limit) this.evenUntilMs = performance.now() + minute.endsInMs + WINDOW_MS;
      await this.sleep(minute, next.wanted);
    }
  }

  /** Sleeps until the pace has room, the limit changes, or no stream waits any more. */
  private async sleep(minute: Minute, wanted: number): Promise<void> {
    const endsAtMs = performance.now() + waitMs(minute, wanted);
    for (let leftMs = endsAtMs - performance.now(); leftMs > 0; leftMs = endsAtMs - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(CHECK_EVERY_MS, leftMs)).unref());
      await this.endRefusedWaits();
      this.endLateWaits();
      if (this.waits.size === 0 || this.meter.streamLimit(this.tenantId) !== minute.limit) return;
    }
  }

  private async endRefusedWaits(): Promise<void> {
    await Promise.all(
      [...this.waits].map(async (wait) => {
        const problem = await wait.refusal();
        if (problem && this.waits.delete(wait)) wait.fail(problem);
      }),
    );
  }

  private endLateWaits(): void {
    const nowMs = performance.now();
    for (const wait of this.waits) {
      if (wait.endsAtMs > nowMs) continue;
      this.waits.delete(wait);
      wait.end();
    }
  }

  private reserve(wanted: number): Promise<Reservation> {
    const upTo =
      performance.now() < this.evenUntilMs ? evenLimit(this.minute()) : this.meter.streamLimit(this.tenantId);
    return this.meter.reserve(this.tenantId, 'stream', wanted, upTo);
  }

  private minute(): Minute {
    return { limit: this.meter.streamLimit(this.tenantId), ...this.meter.seen(this.tenantId) };
  }
}
