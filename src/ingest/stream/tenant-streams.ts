import type { Reservation } from '../../access/limits/meter';
import type { TenantLimiter } from '../../access/limits/tenant-limiter';
import { WINDOW_MS } from '../../redis/window-counter';
import { evenLimit, waitMs, type Minute } from './even-pace';

/** One wait of a stream for the limit. */
export interface Wait {
  wanted: number;
  /** When to stop waiting, by `performance.now()`. */
  endsAtMs: number;
  /** Ends the wait; without a reservation when its time is over. */
  end: (reservation?: Reservation) => void;
  fail: (error: unknown) => void;
}

/**
 * The open streams of one tenant in this process. While the limit is used up they wait in one queue and are served in
 * turn, with one timer for all of them. From then on, until a minute passes in which the limit is less than half used,
 * streams spread the limit evenly over the minute, so that each goes on moving.
 */
export class TenantStreams {
  open = 0;
  private readonly queue = new Set<Wait>();
  private serving = false;
  private evenUntilMs = 0;

  constructor(
    private readonly tenantId: string,
    private readonly limiter: TenantLimiter,
  ) {}

  /** Reserves without waiting. Returns undefined when other streams wait or the limit is used up. */
  async reserveNow(wanted: number): Promise<Reservation | undefined> {
    if (this.queue.size > 0) return undefined;
    const reservation = await this.reserve(wanted);
    return reservation.points > 0 ? reservation : undefined;
  }

  wait(wait: Wait): void {
    this.queue.add(wait);
    if (this.serving) return;
    this.serving = true;
    this.serve().catch((error: unknown) => {
      this.serving = false;
      for (const one of this.queue) one.fail(error);
      this.queue.clear();
    });
  }

  leave(wait: Wait): void {
    this.queue.delete(wait);
  }

  private async serve(): Promise<void> {
    for (;;) {
      const [next] = this.queue;
      if (!next) {
        this.serving = false;
        return;
      }
      const reservation = await this.reserve(next.wanted);
      if (reservation.points > 0) {
        if (this.queue.delete(next)) next.end(reservation);
        else this.limiter.giveBack(reservation, reservation.points); // it has left meanwhile
        continue;
      }
      const minute = this.minute();
      if (minute.used * 2 >= minute.limit) this.evenUntilMs = Date.now() + minute.endsInMs + WINDOW_MS;
      await new Promise((resolve) => setTimeout(resolve, waitMs(minute, next.wanted)).unref());
      this.endLateWaits();
    }
  }

  private endLateWaits(): void {
    const nowMs = performance.now();
    for (const wait of this.queue) {
      if (wait.endsAtMs > nowMs) continue;
      this.queue.delete(wait);
      wait.end();
    }
  }

  private reserve(wanted: number): Promise<Reservation> {
    const upTo = Date.now() < this.evenUntilMs ? evenLimit(this.minute()) : this.limiter.streamLimit;
    return this.limiter.reserveForStream(this.tenantId, wanted, upTo);
  }

  private minute(): Minute {
    return { limit: this.limiter.streamLimit, ...this.limiter.seen(this.tenantId) };
  }
}
