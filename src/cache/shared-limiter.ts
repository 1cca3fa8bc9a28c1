import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Settings } from '../config/settings';

/** Nest token of the RateLimiterAbstract that counts the events of each tenant per minute. */
export const SHARED_LIMITER = Symbol('SharedLimiter');

const WINDOW_SECONDS = 60;

/** Counts in this process. A limit of 0 means none; then nobody asks. */
export function localLimiter({ TENANT_RATE_LIMIT_PER_MINUTE: limit }: Settings): RateLimiterAbstract {
  return new RateLimiterMemory({ keyPrefix: 'tenant', points: Math.max(1, limit), duration: WINDOW_SECONDS });
}

/** Counts in Redis for all api processes; without Redis each counts for itself until it is back. */
export function redisLimiter(redis: Redis, settings: Settings): RateLimiterAbstract {
  return new RateLimiterRedis({
    storeClient: redis,
    rejectIfRedisNotReady: true,
    keyPrefix: 'streamforge:tenant-limit',
    points: Math.max(1, settings.TENANT_RATE_LIMIT_PER_MINUTE),
    duration: WINDOW_SECONDS,
    insuranceLimiter: localLimiter(settings),
  });
}
