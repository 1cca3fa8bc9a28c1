import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** Nest token of the limiter that counts events per tenant and minute. */
export const SHARED_LIMITER = Symbol('SharedLimiter');
/** Nest token of the limiter that counts admin requests per client address and minute. */
export const ADMIN_LIMITER = Symbol('AdminLimiter');

const WINDOW_SECONDS = 60;

export interface Limit {
  /** What is counted. The name is part of the key in Redis. */
  name: 'tenant' | 'admin';
  /** 0 means no limit: callers then skip the limiter. */
  perMinute: number;
}

/** Counts in this process. */
export function localLimiter({ name, perMinute }: Limit): RateLimiterAbstract {
  return new RateLimiterMemory({ keyPrefix: name, points: Math.max(1, perMinute), duration: WINDOW_SECONDS });
}

/** Counts in Redis, for all api processes together. While Redis is down, each process counts for itself. */
export function redisLimiter(redis: Redis, limit: Limit): RateLimiterAbstract {
  return new RateLimiterRedis({
    storeClient: redis,
    rejectIfRedisNotReady: true,
    keyPrefix: `streamforge:${limit.name}-limit`,
    points: Math.max(1, limit.perMinute),
    duration: WINDOW_SECONDS,
    insuranceLimiter: localLimiter(limit),
  });
}
