import { WINDOW_MS, type Taken, type WindowCounter } from '../../redis/window-counter';
import type { Allowance } from './allowance';

/** Who takes points. Each takes from its own spare points, because the two have different limits. */
export type Taker = 'single' | 'stream';

/** Points of one window of a tenant, as this process knows them. */
interface Allotment {
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

/**
 * Counts one measure of each tenant against a limit per minute, over all api processes. Points are reserved before the
 * work and given back if it turns out to cost nothing. So the points in use never exceed the limit, however many
 * callers there are; work in progress counts as used until its result is known.
 */
export class Meter {
  private readonly allotments = new Map<string, Allotment>();

  constructor(
    /** Points per minute; 0 means no limit. */
    readonly limit: number,
    private readonly shared: WindowCounter,
  ) {}

  /** Reserves up to `wanted` points, as long as the shared count stays at or below `upTo`. */
  async reserve(tenantId: string, taker: Taker, wanted: number, upTo = this.limit): Promise<Reservation> {
    if (this.limit === 0) return { points: wanted, tenantId, taker, from: undefined };
    const held = this.held(tenantId);
    // Taken before the wait below, so that a concurrent caller cannot get the same points.
    const atOnce = Math.min(wanted, held.spare[taker]);
    held.spare[taker] -= atOnce;
    const missing = wanted - atOnce;
    if (missing === 0 || (held.used >= upTo && Date.now() < held.askAgainAtMs)) {
      return { points: atOnce, tenantId, taker, from: held };
    }
    const taken = await this.shared.take(tenantId, Math.max(missing, this.share), upTo);
    const now = this.adopt(tenantId, taken);
    const later = Math.min(missing, taken.granted);
    now.spare[taker] += taken.granted - later;
    if (later === 0) now.askAgainAtMs = Date.now() + ASK_AGAIN_AFTER_MS;
    if (now === held) return { points: atOnce + later, tenantId, taker, from: now };
    this.giveBack({ points: atOnce, tenantId, taker, from: held }, atOnce); // points of a window that has ended
    return { points: later, tenantId, taker, from: now };
  }

  /** Returns points of a reservation that were not used. */
  giveBack({ tenantId, taker, from }: Reservation, points: number): void {
    if (!from || points === 0) return;
    from.spare[taker] += points;
    const isCurrent = this.allotments.get(tenantId) === from;
    const surplus = from.spare[taker] - (isCurrent ? this.share : 0);
    if (surplus <= 0) return;
    from.spare[taker] -= surplus;
    from.used = Math.max(0, from.used - surplus);
    from.counter?.giveBack(tenantId, surplus, from.endsAtMs - Date.now());
  }

  /** The count of a tenant as last seen, and how long its window still lasts. */
  seen(tenantId: string): { used: number; endsInMs: number } {
    const { used, endsAtMs } = this.held(tenantId);
    return { used, endsInMs: endsAtMs - Date.now() };
  }

  /** Returns what the tenant may still send; undefined when there is no limit. */
  allowance(tenantId: string): Allowance | undefined {
    if (this.limit === 0) return undefined;
    const { used, spare, endsAtMs } = this.held(tenantId);
    const remaining = Math.max(0, this.limit - used) + spare.single + spare.stream;
    return { limit: this.limit, remaining, resetSeconds: Math.max(1, Math.ceil((endsAtMs - Date.now()) / 1000)) };
  }

  private get share(): number {
    return Math.floor(this.limit * SHARE);
  }

  /** Returns the tenant's allotment of the window that goes on, or a new one. */
  private held(tenantId: string): Allotment {
    const held = this.allotments.get(tenantId);
    if (held && held.endsAtMs > Date.now()) return held;
    return this.keep(tenantId, { counter: undefined, used: 0, endsAtMs: Date.now() + WINDOW_MS });
  }

  /** Returns the allotment that the points just taken belong to. */
  private adopt(tenantId: string, { used, endsInMs, counter }: Taken): Allotment {
    const held = this.allotments.get(tenantId);
    const endsAtMs = Date.now() + endsInMs;
    const isSame = held?.counter === counter && Math.abs(held.endsAtMs - endsAtMs) < WINDOW_MS / 2;
    if (!held || !(isSame || held.counter === undefined)) return this.keep(tenantId, { counter, used, endsAtMs });
    return Object.assign(held, { counter, used, endsAtMs });
  }

  private keep(tenantId: string, window: Pick<Allotment, 'counter' | 'used' | 'endsAtMs'>): Allotment {
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
