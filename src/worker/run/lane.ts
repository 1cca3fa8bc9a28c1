export interface LaneLimits {
  /** Concurrent calls of all tenants. */
  running: number;
  /** Concurrent calls of one tenant. */
  tenantRunning: number;
  /** Waiting calls of all tenants and of one tenant. Beyond these, the lane is full for calls that would wait long. */
  waiting: number;
  tenantWaiting: number;
}

/** The answer to a call that wants to enter: it may start, the lane is closed, or the call should come back later. */
export type LaneEntry = 'entered' | 'closed' | 'full';

interface TenantLane {
  running: number;
  waiting: ((entry: LaneEntry) => void)[];
  averageMs: number;
  /** When a call of the tenant last ended, or last started while no other was running. */
  movedMs: number;
  /** Up to this time the tenant's future capacity is promised to postponed events. */
  pacedUntilMs: number;
}

const MIN_PACE_MS = 500;
const MAX_PACE_MS = 300_000;
/**
 * A call that will start within this time may wait beyond the limits, because postponing its event costs much more.
 * With limits alone, most of a burst to a fast receiver was postponed. The prefetch bounds the number of waiting calls.
 */
const SOON_MS = 1_000;
/** A tenant is slow if none of its calls has ended for this long. */
const STUCK_MS = 250;
/** Weight of the newest call in the average duration. */
const WEIGHT = 0.1;
/** Assumed duration of a call until the first call of a tenant has ended. */
const EXPECTED_MS = 20;
const MOST_IDLE_TENANTS = 1_000;

/**
 * Limits the concurrent calls of one handler, in total and per tenant. A free slot goes to the waiting tenant with the
 * fewest running calls, so a slow tenant delays the others by at most one call (I10). A call that may not wait is
 * told when to come back. The calls of a tenant come back at the rate at which its running calls end.
 */
export class Lane {
  private readonly tenants = new Map<string, TenantLane>();
  private running = 0;
  private waiting = 0;
  private closed = false;
  private review: NodeJS.Timeout | undefined;

  constructor(private readonly limits: LaneLimits) {}

  /** The caller must call `leave` after 'entered'. */
  enter(tenantId: string): Promise<LaneEntry> {
    if (this.closed) return Promise.resolve('closed');
    const tenant = this.tenant(tenantId);
    if (this.hasRoom(tenant)) {
      this.start(tenant);
      return Promise.resolve('entered');
    }
    const beyond = this.waiting >= this.limits.waiting || tenant.waiting.length >= this.limits.tenantWaiting;
    if (beyond && !this.isQuick(tenant)) return Promise.resolve('full');
    if (beyond) this.review ??= setTimeout(() => this.reviewWaiting(), STUCK_MS);
    this.waiting += 1;
    return new Promise((resolve) => tenant.waiting.push(resolve));
  }

  leave(tenantId: string, tookMs: number): void {
    const tenant = this.tenant(tenantId);
    tenant.running -= 1;
    this.running -= 1;
    tenant.movedMs = performance.now();
    tenant.averageMs += (Math.max(tookMs, 1) - tenant.averageMs) * WEIGHT;
    this.admit();
  }

  /** Returns the delay in ms after which an event that found the lane full should come back. */
  paceMs(tenantId: string, nowMs: number): number {
    const tenant = this.tenant(tenantId);
    const turnMs = Math.max(tenant.pacedUntilMs, nowMs + MIN_PACE_MS);
    tenant.pacedUntilMs = Math.min(turnMs + tenant.averageMs / this.limits.tenantRunning, nowMs + MAX_PACE_MS);
    return Math.round(turnMs - nowMs);
  }

  /** Admits no more calls. Waiting calls get 'closed'. */
  close(): void {
    this.closed = true;
    clearTimeout(this.review);
    for (const { waiting } of this.tenants.values()) for (const resolve of waiting.splice(0)) resolve('closed');
    this.waiting = 0;
  }

  private hasRoom(tenant: TenantLane): boolean {
    return this.running < this.limits.running && tenant.running < this.limits.tenantRunning;
  }

  private start(tenant: TenantLane): void {
    if (tenant.running === 0) tenant.movedMs = performance.now();
    tenant.running += 1;
    this.running += 1;
  }

  /** Estimates from the tenant's own calls whether its next call starts soon. Other tenants can delay it further. */
  private isQuick({ waiting, averageMs, movedMs }: TenantLane): boolean {
    return performance.now() - movedMs < STUCK_MS && (waiting.length * averageMs) / this.limits.tenantRunning < SOON_MS;
  }

  /** Rejects waiting calls beyond the limits, newest first, if their tenant has turned out to be slow. */
  private reviewWaiting(): void {
    this.review = undefined;
    let beyond = false;
    for (const tenant of this.tenants.values()) {
      const { length } = tenant.waiting;
      const excess = Math.max(length - this.limits.tenantWaiting, Math.min(length, this.waiting - this.limits.waiting));
      if (excess <= 0) continue;
      if (this.isQuick(tenant)) beyond = true;
      else {
        this.waiting -= excess;
        for (const resolve of tenant.waiting.splice(-excess)) resolve('full');
      }
    }
    if (beyond) this.review = setTimeout(() => this.reviewWaiting(), STUCK_MS);
  }

  private admit(): void {
    while (this.waiting > 0) {
      let next: TenantLane | undefined;
      for (const tenant of this.tenants.values()) {
        if (tenant.waiting.length > 0 && this.hasRoom(tenant) && (!next || tenant.running < next.running))
          next = tenant;
      }
      if (!next) return;
      this.waiting -= 1;
      this.start(next);
      next.waiting.shift()?.('entered');
    }
  }

  private tenant(tenantId: string): TenantLane {
    const known = this.tenants.get(tenantId);
    if (known) return known;
    if (this.tenants.size >= MOST_IDLE_TENANTS) this.forgetIdle();
    const tenant = { running: 0, waiting: [], averageMs: EXPECTED_MS, movedMs: performance.now(), pacedUntilMs: 0 };
    this.tenants.set(tenantId, tenant);
    return tenant;
  }

  /** Forgets idle tenants, which loses their averages and paces. The limits bound the number of tenants with calls. */
  private forgetIdle(): void {
    for (const [tenantId, { running, waiting }] of this.tenants) {
      if (running === 0 && waiting.length === 0) this.tenants.delete(tenantId);
    }
  }
}
