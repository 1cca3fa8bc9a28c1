import { Inject, Injectable } from '@nestjs/common';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { SHARED_LIMITER } from '../redis/shared-limiter';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import type { Allowance } from './allowance';

/** Points that this process has taken from a tenant's shared count but not yet granted. */
interface Allotment {
  points: number;
  sharedRemaining: number;
  resetAtMs: number;
}

/** Allotments kept by a process. Beyond this number the oldest are dropped; the shared counts remain. */
const MAX_TENANTS = 10_000;
/**
 * Share of the limit that a process takes at a time. One round trip to Redis then serves many events, and each process
 * leaves at most this share unused. A limit below 1000 is taken event by event and is exact.
 */
const SHARE = 1 / 1_000;

/** Limits the events of a tenant per minute: a stream costs one per record. All api processes share one count. */
@Injectable()
export class TenantLimiter {
  private readonly limit: number;
  private readonly allotments = new Map<string, Allotment>();

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Settings,
    @Inject(SHARED_LIMITER) private readonly shared: RateLimiterAbstract,
  ) {
    this.limit = settings.TENANT_RATE_LIMIT_PER_MINUTE;
  }

  /** Takes up to `events` from the tenant's allowance and returns how many were granted. */
  async takeUpTo(tenantId: string, events: number): Promise<number> {
    if (this.limit === 0) return events;
    const held = this.held(tenantId);
    // Taken before the wait below, so that a concurrent call cannot get the same points.
    const atOnce = Math.min(events, held.points);
    held.points -= atOnce;
    const missing = events - atOnce;
    if (missing === 0 || held.sharedRemaining === 0) return atOnce;
    const got = await this.refill(tenantId, held, Math.max(missing, Math.floor(this.limit * SHARE)));
    const later = Math.min(missing, got);
    held.points += got - later;
    return atOnce + later;
  }

  /** Returns what the tenant may still send; undefined when there is no limit. */
  allowance(tenantId: string): Allowance | undefined {
    if (this.limit === 0) return undefined;
    const { points, sharedRemaining, resetAtMs } = this.held(tenantId);
    const resetSeconds = Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1000));
    return { limit: this.limit, remaining: points + sharedRemaining, resetSeconds };
  }

  /** Returns the problem to send when too few events were granted. */
  problem(tenantId: string): Problem {
    return new Problem('tenant-rate-limited', `A tenant may send at most ${this.limit} events per minute.`, {
      retryAfterSeconds: this.allowance(tenantId)?.resetSeconds ?? 1,
    });
  }

  private held(tenantId: string): Allotment {
    const nowMs = Date.now();
    const held = this.allotments.get(tenantId);
    if (held && held.resetAtMs > nowMs) return held;
    const fresh: Allotment = { points: 0, sharedRemaining: this.limit, resetAtMs: nowMs + 60_000 };
    this.allotments.delete(tenantId);
    this.allotments.set(tenantId, fresh);
    for (const oldest of this.allotments.keys()) {
      if (this.allotments.size <= MAX_TENANTS) break;
      this.allotments.delete(oldest);
    }
    return fresh;
  }

  /**
   * Takes points from the shared count. Returns how many of `wanted` are below the limit. The count rises even when it
   * refuses, so the points that were left below the limit belong to this call alone: no second call is needed, and no
   * point is lost between processes.
   */
  private async refill(tenantId: string, held: Allotment, wanted: number): Promise<number> {
    const result = await this.consume(tenantId, wanted);
    const beyond = Math.max(0, result.consumedPoints - this.limit);
    held.sharedRemaining = Math.max(0, this.limit - result.consumedPoints);
    held.resetAtMs = Date.now() + result.msBeforeNext;
    return Math.max(0, wanted - beyond);
  }

  private async consume(tenantId: string, points: number): Promise<RateLimiterRes> {
    try {
      return await this.shared.consume(tenantId, points);
    } catch (error) {
      if (error instanceof RateLimiterRes) return error; // the library throws its result when the limit is exceeded
      throw error;
    }
  }
}
