export interface LaneLimits {
  /** Calls at a time, of all tenants. */
  running: number;
  /** Calls at a time of one tenant. */
  tenantRunning: number;
  /** Calls that wait for room, of all tenants and of one. Beyond them the lane is full for those that would wait long. */
  waiting: number;
  tenantWaiting: number;
}

/** How a call that asked for room fared: it may begin, the lane was closed, or it should come back later. */
export type LaneEntry = 'entered' | 'closed' | 'full';

interface TenantLane {
  running: number;
  waiting: ((entry: LaneEntry) => void)[];
  averageMs: number;
  /** When a call began that found none of its tenant, or ended. */
  movedMs: number;
  /** Until when its postponed events fill the room that it will have. */
  pacedUntilMs: number;
}

const MIN_PACE_MS = 500;
const MAX_PACE_MS = 300_000;
/**
 * A call that will have its turn so soon may wait beyond the limits, since sending its event round costs far more than
 * that. (With limits alone, most of a burst to a quick receiver went round.) What is in hand is bounded by the prefetch.
 */
const SOON_MS = 1_000;
/** A tenant none of whose calls has ended for so long is not quick. */
const STUCK_MS = 250;
/** How much the newest call counts in the average duration. */
const WEIGHT = 0.1;
/** How long a call takes is not known before the first has ended. */
const EXPECTED_MS = 20;
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
  private closed = false;
  private review: NodeJS.Timeout | undefined;

  constructor(private readonly limits: LaneLimits) {}

  /** After 'entered', `leave` must follow. */
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
    tenant.movedMs = Date.now();
    tenant.averageMs += (Math.max(tookMs, 1) - tenant.averageMs) * WEIGHT;
    this.admit();
  }

  /** After how many milliseconds an event that found the lane full should come back. */
  paceMs(tenantId: string, nowMs: number): number {
    const tenant = this.tenant(tenantId);
    const turnMs = Math.max(tenant.pacedUntilMs, nowMs + MIN_PACE_MS);
    tenant.pacedUntilMs = Math.min(turnMs + tenant.averageMs / this.limits.tenantRunning, nowMs + MAX_PACE_MS);
    return Math.round(turnMs - nowMs);
  }

  /** Nothing begins any more; what waits is told so. */
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
    if (tenant.running === 0) tenant.movedMs = Date.now();
    tenant.running += 1;
    this.running += 1;
  }

  /** As far as the tenant's own calls tell: those of others can make it later. */
  private isQuick({ waiting, averageMs, movedMs }: TenantLane): boolean {
    return Date.now() - movedMs < STUCK_MS && (waiting.length * averageMs) / this.limits.tenantRunning < SOON_MS;
  }

  /** Sends away what was let in beyond the limits and waits for calls that have proved to be slow, the newest first. */
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
    const tenant = { running: 0, waiting: [], averageMs: EXPECTED_MS, movedMs: Date.now(), pacedUntilMs: 0 };
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
