export interface LaneLimits {
  /** Calls at a time, of all tenants. */
  running: number;
  /** Calls at a time of one tenant. */
  tenantRunning: number;
  /** Calls that wait for room, of all tenants and of one. Beyond them the lane is full. */
  waiting: number;
  tenantWaiting: number;
}

interface TenantLane {
  running: number;
  waiting: ((entered: boolean) => void)[];
  /** Until when its postponed events fill the room that it will have. */
  pacedUntilMs: number;
}

const MIN_PACE_MS = 500;
const MAX_PACE_MS = 300_000;
/** How much the newest call counts in the average duration. */
const WEIGHT = 0.1;
const MOST_IDLE_TENANTS = 1_000;

/**
 * Room for the calls of one handler: so many at a time, and so many of one tenant. Room that becomes free goes to the
 * waiting tenant with the fewest calls, so a slow tenant holds up the others for one call at the most (I10). What finds
 * no room to wait is told when to come back: paced, so that it returns as fast as its tenant's calls get done.
 */
export class Lane {
  private readonly tenants = new Map<string, TenantLane>();
  private running = 0;
  private waiting = 0;
  private averageMs = 50;
  private closed = false;

  constructor(private readonly limits: LaneLimits) {}

  /** Resolves true when the call may begin, then `leave` must follow; false when the lane was closed; 'full' at once. */
  enter(tenantId: string): Promise<boolean> | 'full' {
    if (this.closed) return Promise.resolve(false);
    const tenant = this.tenant(tenantId);
    if (this.hasRoom(tenant)) {
      this.start(tenant);
      return Promise.resolve(true);
    }
    if (this.waiting >= this.limits.waiting || tenant.waiting.length >= this.limits.tenantWaiting) return 'full';
    this.waiting += 1;
    return new Promise((resolve) => tenant.waiting.push(resolve));
  }

  leave(tenantId: string, tookMs: number): void {
    const tenant = this.tenant(tenantId);
    tenant.running -= 1;
    this.running -= 1;
    this.averageMs += (Math.max(tookMs, 1) - this.averageMs) * WEIGHT;
    this.admit();
  }

  /** After how many milliseconds an event that found the lane full should come back. */
  paceMs(tenantId: string, nowMs: number): number {
    const tenant = this.tenant(tenantId);
    const turnMs = Math.max(tenant.pacedUntilMs, nowMs + MIN_PACE_MS);
    tenant.pacedUntilMs = Math.min(turnMs + this.averageMs / this.limits.tenantRunning, nowMs + MAX_PACE_MS);
    return Math.round(turnMs - nowMs);
  }

  /** Nothing begins any more; what waits is told so. */
  close(): void {
    this.closed = true;
    for (const { waiting } of this.tenants.values()) for (const resolve of waiting.splice(0)) resolve(false);
    this.waiting = 0;
  }

  private hasRoom(tenant: TenantLane): boolean {
    return this.running < this.limits.running && tenant.running < this.limits.tenantRunning;
  }

  private start(tenant: TenantLane): void {
    tenant.running += 1;
    this.running += 1;
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
      next.waiting.shift()?.(true);
    }
  }

  private tenant(tenantId: string): TenantLane {
    const known = this.tenants.get(tenantId);
    if (known) return known;
    if (this.tenants.size >= MOST_IDLE_TENANTS) this.forgetIdle();
    const tenant = { running: 0, waiting: [], pacedUntilMs: 0 };
    this.tenants.set(tenantId, tenant);
    return tenant;
  }

  /** Those with calls are bounded by the limits; of the others only their pace is lost. */
  private forgetIdle(): void {
    for (const [tenantId, { running, waiting }] of this.tenants) {
      if (running === 0 && waiting.length === 0) this.tenants.delete(tenantId);
    }
  }
}
