import { WINDOW_MS, wholeMs, type Taken, type WindowCounter } from '../../redis/window-counter';
import type { Allowance } from './allowance';

/** Who takes points. Each takes from its own spare points, because the two have different limits. */
export type Taker = 'single' | 'stream';

/** What is counted. */
export type Measure = 'events' | 'bytes';

/** Points of one window of a tenant, as this process knows them. */
interface Allotment {
  /** The limit that the spare points were taken under. */
  limit: number;
  /** The counter that has counted; undefined before the first answer. */
  counter: WindowCounter | undefined;
  endsAtMs: number;
  /** The shared count as last seen. */
  used: number;
  /** Points that were taken from the shared count and are not in use. */
  spare: Record<Taker, number>;
  /** While nothing was left, the shared count is not asked again before this time. */
  askAgainAtMs: number;
}

/** Points that a caller holds. What it does not use, it gives back. */
export interface Reservation {
  measure: Measure;
  points: number;
  tenantId: string;
  taker: Taker;
  from: Allotment | undefined;
}

/** Tenants for which a process keeps spare points. Beyond this number the oldest are dropped; the counts remain. */
const MAX_TENANTS = 10_000;
/**
 * Share of the limit that a process takes at a time. One round trip to Redis then serves many events, and each process
 * leaves at most this share unused. A limit below 1000 is taken point by point and is exact.
 */
const SHARE = 1 / 1_000;
/** Another process may give points back, so a used-up count is asked again, but not for every request. */
const ASK_AGAIN_AFTER_MS = 1_000;
/** Streams leave this share of a limit to single events. */
const SHARE_OF_SINGLE_EVENTS = 1 / 10;

/**
 * Counts one measure of each tenant against the tenant's limit per minute, over all api processes. Points are reserved
 * before the work and given back if it turns out to cost nothing. So the points in use never exceed the limit, however
 * many callers there are; work in progress counts as used until its result is known. A limit may change at any time:
 * what was used in the current window still counts.
 */
export class Meter {
  private readonly allotments = new Map<string, Allotment>();

  constructor(
    readonly measure: Measure,
    /** Returns a tenant's points per minute; 0 means no limit. */
    readonly limitOf: (tenantId: string) => number,
    private readonly shared: WindowCounter,
  ) {}

  /** What all streams of a tenant together may use of its limit. A limit of 1 is theirs as well. */
  streamLimit(tenantId: string): number {
    const limit = this.limitOf(tenantId);
    return Math.max(1, limit - Math.ceil(limit * SHARE_OF_SINGLE_EVENTS));
  }

  /** Reserves up to `wanted` points, as long as the shared count stays at or below `upTo`, by default the limit. */
  async reserve(tenantId: string, taker: Taker, wanted: number, upTo?: number): Promise<Reservation> {
    const limit = this.limitOf(tenantId);
    if (limit === 0) return this.reservation(wanted, tenantId, taker, undefined);
    const held = this.held(tenantId, limit);
    const bound = upTo ?? limit;
    // Taken before the wait below, so that a concurrent caller cannot get the same points.
    const atOnce = Math.min(wanted, held.spare[taker]);
    held.spare[taker] -= atOnce;
    const missing = wanted - atOnce;
    if (missing === 0 || (held.used >= bound && wholeMs() < held.askAgainAtMs)) {
      return this.reservation(atOnce, tenantId, taker, held);
    }
    const taken = await this.shared.take(tenantId, Math.max(missing, shareOf(limit)), bound);
    const now = this.adopt(tenantId, limit, taken);
    const later = Math.min(missing, taken.granted);
    now.spare[taker] += taken.granted - later;
    if (now.limit !== limit) this.returnSpare(tenantId, now, taker, shareOf(now.limit)); // changed meanwhile
    if (later === 0) now.askAgainAtMs = wholeMs() + ASK_AGAIN_AFTER_MS;
    if (now === held) return this.reservation(atOnce + later, tenantId, taker, now);
    this.giveBack(this.reservation(atOnce, tenantId, taker, held), atOnce); // points of a window that has ended
    return this.reservation(later, tenantId, taker, now);
  }

  /**
   * Reserves all of `wanted` points for a single event, or none. Whoever wants more than the limit needs a window of
   * which nothing is used, and then uses all of it: it would otherwise be refused for ever.
   */
  async reserveWhole(tenantId: string, wanted: number): Promise<Reservation> {
    const limit = this.limitOf(tenantId);
    if (limit === 0) return this.reservation(wanted, tenantId, 'single', undefined);
    const needed = Math.min(wanted, limit);
    const held = this.held(tenantId, limit);
    const isKnownNotToFit = limit - held.used + held.spare.single < needed && wholeMs() < held.askAgainAtMs;
    if (isKnownNotToFit) return this.reservation(0, tenantId, 'single', held);
    const reservation = await this.reserve(tenantId, 'single', needed);
    if (reservation.points === needed) return reservation;
    this.giveBack(reservation, reservation.points);
    if (reservation.from) reservation.from.askAgainAtMs = wholeMs() + ASK_AGAIN_AFTER_MS;
    return { ...reservation, points: 0 };
  }

  /** Returns points of a reservation that were not used. */
  giveBack({ tenantId, taker, from }: Reservation, points: number): void {
    if (!from || points === 0) return;
    from.spare[taker] += points;
    const isCurrent = this.allotments.get(tenantId) === from;
    this.returnSpare(tenantId, from, taker, isCurrent ? shareOf(from.limit) : 0);
  }

  /** The count of a tenant as last seen, and how long its window still lasts. */
  seen(tenantId: string): { used: number; endsInMs: number } {
    const { used, endsAtMs } = this.held(tenantId, this.limitOf(tenantId));
    return { used, endsInMs: endsAtMs - wholeMs() };
  }

  /** Returns what the tenant may still send; undefined when there is no limit. */
  allowance(tenantId: string): Allowance | undefined {
    const limit = this.limitOf(tenantId);
    if (limit === 0) return undefined;
    const { used, spare, endsAtMs } = this.held(tenantId, limit);
    const remaining = Math.max(0, limit - used) + spare.single + spare.stream;
    return { limit, remaining, resetSeconds: Math.max(1, Math.ceil((endsAtMs - wholeMs()) / 1000)) };
  }

  private reservation(points: number, tenantId: string, taker: Taker, from: Allotment | undefined): Reservation {
    return { measure: this.measure, points, tenantId, taker, from };
  }

  /** Returns the tenant's allotment of the window that goes on, or a new one. */
  private held(tenantId: string, limit: number): Allotment {
    const held = this.allotments.get(tenantId);
    if (!held || held.endsAtMs <= wholeMs()) {
      return this.keep(tenantId, { limit, counter: undefined, used: 0, endsAtMs: wholeMs() + WINDOW_MS });
    }
    if (held.limit !== limit) this.changeLimit(tenantId, held, limit);
    return held;
  }

  /** Spare points of a larger limit may be more than a smaller one has left, so they go back. */
  private changeLimit(tenantId: string, held: Allotment, limit: number): void {
    this.returnSpare(tenantId, held, 'single', 0);
    this.returnSpare(tenantId, held, 'stream', 0);
    held.limit = limit;
    held.askAgainAtMs = 0;
  }

  /** Returns spare points to the shared count, except for `kept` of them. */
  private returnSpare(tenantId: string, from: Allotment, taker: Taker, kept: number): void {
    const surplus = from.spare[taker] - kept;
    if (surplus <= 0) return;
    from.spare[taker] -= surplus;
    from.used = Math.max(0, from.used - surplus);
    from.counter?.giveBack(tenantId, surplus, from.endsAtMs - wholeMs());
  }

  /** Returns the allotment that the points just taken belong to. */
  private adopt(tenantId: string, limit: number, { used, endsInMs, counter }: Taken): Allotment {
    const held = this.allotments.get(tenantId);
    const endsAtMs = wholeMs() + endsInMs;
    const isSame = held?.counter === counter && Math.abs(held.endsAtMs - endsAtMs) < WINDOW_MS / 2;
    if (!held || !(isSame || held.counter === undefined))
      return this.keep(tenantId, { limit, counter, used, endsAtMs });
    return Object.assign(held, { counter, used, endsAtMs });
  }

  private keep(tenantId: string, window: Omit<Allotment, 'spare' | 'askAgainAtMs'>): Allotment {
    const fresh: Allotment = { ...window, spare: { single: 0, stream: 0 }, askAgainAtMs: 0 };
    this.allotments.delete(tenantId);
    this.allotments.set(tenantId, fresh);
    for (const oldest of this.allotments.keys()) {
      if (this.allotments.size <= MAX_TENANTS) break;
      this.allotments.delete(oldest);
    }
    return fresh;
  }
}

const shareOf = (limit: number): number => Math.floor(limit * SHARE);
