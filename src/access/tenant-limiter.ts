import { Inject, Injectable } from '@nestjs/common';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { SHARED_LIMITER } from '../redis/shared-limiter';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import type { Allowance } from './allowance';

/** Points that this process has taken from the shared count for a tenant and not yet handed out. */
interface Allotment {
  points: number;
  sharedRemaining: number;
  resetAtMs: number;
}

/** Beyond it the tenants that were first seen longest ago lose their allotment; their shared count is kept. */
const MAX_TENANTS = 10_000;
/**
 * A process takes this share of the limit at a time, which makes one round trip to Redis serve many events and leaves
 * at most this share unused in each process. Limits below 1000 are taken one by one and are exact.
 */
const SHARE = 1 / 1_000;

/** Counts events, not requests: a stream costs one per record. All api processes share one count per tenant. */
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

  /** Takes up to `events` from what the tenant may still send, and returns how many were granted. */
  async takeUpTo(tenantId: string, events: number): Promise<number> {
    if (this.limit === 0) return events;
    const held = this.held(tenantId);
    // Taken before waiting for more: whoever comes meanwhile must not get what this call counts on.
    const atOnce = Math.min(events, held.points);
    held.points -= atOnce;
    const missing = events - atOnce;
    if (missing === 0 || held.sharedRemaining === 0) return atOnce;
    const got = await this.refill(tenantId, held, Math.max(missing, Math.floor(this.limit * SHARE)));
    const later = Math.min(missing, got);
    held.points += got - later;
    return atOnce + later;
  }

  /** Undefined when there is no limit. */
  allowance(tenantId: string): Allowance | undefined {
    if (this.limit === 0) return undefined;
    const { points, sharedRemaining, resetAtMs } = this.held(tenantId);
    const resetSeconds = Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1000));
    return { limit: this.limit, remaining: points + sharedRemaining, resetSeconds };
  }

  /** The problem to send when less was granted than needed. */
  problem(tenantId: string): Problem {
    return new Problem('tenant-rate-limited', `A tenant may send ${this.limit} events per minute.`, {
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
   * The shared count is raised even when it refuses, so what was left of it below the limit is ours alone: nothing is
   * lost between processes, and no second call is needed. Returns how many of `wanted` are below the limit.
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
      if (error instanceof RateLimiterRes) return error; // "too many" is thrown, not returned
      throw error;
    }
  }
}
