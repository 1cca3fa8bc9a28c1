import {
  Global,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Settings } from '../config/settings';
import { MacKeys } from '../integrity/mac-keys';
import { Metrics } from '../observability/metrics';
import { DatabaseHistory } from '../db/history/database-history';
import { ConfirmedCache } from './confirmed-cache';
import { IdempotencyCache } from './idempotency-cache';
import { Incarnation } from './incarnation';
import { LocalCounter } from './local-counter';
import { MemoryCache } from './memory-cache';
import { RedisCache } from './redis-cache';
import { connectRedis } from './redis-connection';
import { RedisCounter } from './redis-counter';
import { LocalWakeUp, RedisWakeUp, WakeUp } from './wake-up';
import { ADMIN_COUNTER, TENANT_BYTES_COUNTER, TENANT_COUNTER } from './window-counter';

/** The connection that all commands share. Only a subscription needs its own. */
const REDIS = Symbol('Redis');
const WAKE_UP_CHANNEL = 'streamforge:outbox:';

/** Chooses between the Redis and the in-process adapters. This is the only place that does. */
@Global()
@Module({})
export class RedisModule {
  static forRoot(settings: Settings): DynamicModule {
    const url = settings.REDIS_URL;
    const redisCounter = (token: symbol, prefix: string): Provider => ({
      provide: token,
      inject: [REDIS, Metrics, Incarnation],
      useFactory: (redis: Redis, metrics: Metrics, incarnation: Incarnation) =>
        new RedisCounter(redis, prefix, metrics, () => incarnation.lastKnown()),
    });
    const providers: Provider[] = url
      ? [
          { provide: REDIS, useFactory: () => connectRedis(url, 'commands') },
          Incarnation,
          {
            provide: IdempotencyCache,
            inject: [REDIS, Incarnation, Metrics, MacKeys, DatabaseHistory],
            useFactory: (
              redis: Redis,
              incarnation: Incarnation,
              metrics: Metrics,
              keys: MacKeys,
              history: DatabaseHistory,
            ) => {
              const ttlSeconds = settings.IDEMPOTENCY_TTL_SECONDS;
              const cache = new RedisCache(redis, () => incarnation.current(), ttlSeconds, metrics, keys);
              return new ConfirmedCache(cache, history);
            },
          },
          redisCounter(TENANT_COUNTER, 'streamforge:tenant-limit:'),
          redisCounter(TENANT_BYTES_COUNTER, 'streamforge:tenant-bytes:'),
          redisCounter(ADMIN_COUNTER, 'streamforge:admin-limit:'),
          {
            provide: WakeUp,
            inject: [REDIS, Metrics, Incarnation],
            useFactory: (redis: Redis, metrics: Metrics, incarnation: Incarnation) =>
              new RedisWakeUp(redis, () => incarnation.known().then((name) => WAKE_UP_CHANNEL + name), metrics),
          },
        ]
      : [
          {
            provide: IdempotencyCache,
            inject: [DatabaseHistory],
            useFactory: (history: DatabaseHistory) =>
              new ConfirmedCache(new MemoryCache(settings.IDEMPOTENCY_TTL_SECONDS), history),
          },
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
