import {
  Global,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { Settings } from '../config/settings';
import { MacKeys } from '../integrity/mac-keys';
import { Metrics } from '../observability/metrics';
import { readIncarnation } from '../db/incarnation.queries';
import { IdempotencyCache } from './idempotency-cache';
import { LocalCounter } from './local-counter';
import { MemoryCache } from './memory-cache';
import { RedisCache } from './redis-cache';
import { connectRedis } from './redis-connection';
import { RedisCounter } from './redis-counter';
import { LocalWakeUp, RedisWakeUp, WakeUp } from './wake-up';
import { ADMIN_COUNTER, TENANT_BYTES_COUNTER, TENANT_COUNTER } from './window-counter';

/** The connection that all commands share. Only a subscription needs its own. */
const REDIS = Symbol('Redis');
const WAKE_UP_CHANNEL = 'streamforge:outbox';

/** Chooses between the Redis and the in-process adapters. This is the only place that does. */
@Global()
@Module({})
export class RedisModule {
  static forRoot(settings: Settings): DynamicModule {
    const url = settings.REDIS_URL;
    const redisCounter = (prefix: string) => (redis: Redis, metrics: Metrics) =>
      new RedisCounter(redis, prefix, metrics);
    const providers: Provider[] = url
      ? [
          { provide: REDIS, useFactory: () => connectRedis(url, 'commands') },
          {
            provide: IdempotencyCache,
            inject: [REDIS, Pool, Metrics, MacKeys],
            useFactory: (redis: Redis, pool: Pool, metrics: Metrics, keys: MacKeys) => {
              const incarnation = untilConnectionLost(pool, () => readIncarnation(pool));
              return new RedisCache(redis, incarnation, settings.IDEMPOTENCY_TTL_SECONDS, metrics, keys);
            },
          },
          { provide: TENANT_COUNTER, inject: [REDIS, Metrics], useFactory: redisCounter('streamforge:tenant-limit:') },
          {
            provide: TENANT_BYTES_COUNTER,
            inject: [REDIS, Metrics],
            useFactory: redisCounter('streamforge:tenant-bytes:'),
          },
          { provide: ADMIN_COUNTER, inject: [REDIS, Metrics], useFactory: redisCounter('streamforge:admin-limit:') },
          {
            provide: WakeUp,
            inject: [REDIS, Metrics],
            useFactory: (redis: Redis, metrics: Metrics) => new RedisWakeUp(redis, WAKE_UP_CHANNEL, metrics),
          },
        ]
      : [
          { provide: IdempotencyCache, useFactory: () => new MemoryCache(settings.IDEMPOTENCY_TTL_SECONDS) },
          { provide: TENANT_COUNTER, useFactory: () => new LocalCounter() },
          { provide: TENANT_BYTES_COUNTER, useFactory: () => new LocalCounter() },
          { provide: ADMIN_COUNTER, useFactory: () => new LocalCounter() },
          { provide: WakeUp, useClass: LocalWakeUp },
        ];
    return {
      module: RedisModule,
      providers: [...providers, CloseCache],
      exports: [IdempotencyCache, TENANT_COUNTER, TENANT_BYTES_COUNTER, ADMIN_COUNTER, WakeUp],
    };
  }
}

/**
 * Keeps the value that `read` returned until a pooled connection closes. From then on the URL may lead to another
 * database, which was restored or created again under the running process (I2).
 */
function untilConnectionLost(pool: Pool, read: () => Promise<string>): () => Promise<string> {
  let known: Promise<string> | undefined;
  pool.on('remove', () => (known = undefined));
  return async () => {
    const reading = (known ??= read());
    try {
      return await reading;
    } catch (error) {
      if (known === reading) known = undefined;
      throw error;
    }
  };
}

@Injectable()
class CloseCache implements OnApplicationShutdown {
  constructor(
    private readonly cache: IdempotencyCache,
    private readonly wakeUp: WakeUp,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
    await this.wakeUp.close();
  }
}
