import { Global, Inject, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import type { Settings } from '../config/settings';
import { readIncarnation } from '../db/incarnation.queries';
import { IdempotencyCache } from './idempotency-cache';
import { MemoryCache } from './memory-cache';
import { RedisCache } from './redis-cache';
import { connectRedis } from './redis-connection';
import { LocalWakeUp, RedisWakeUp, WakeUp } from './wake-up';

const WAKE_UP_CHANNEL = 'streamforge:outbox';

/** Redis or this process: chosen here and nowhere else. */
@Global()
@Module({})
export class CacheModule {
  static forRoot(settings: Settings): DynamicModule {
    const url = settings.REDIS_URL;
    const providers = url
      ? [
          {
            provide: IdempotencyCache,
            inject: [Pool],
            useFactory: (pool: Pool) =>
              new RedisCache(
                connectRedis(url, 'cache'),
                onceItWorks(() => readIncarnation(pool)),
                settings.IDEMPOTENCY_TTL_SECONDS,
              ),
          },
          { provide: WakeUp, useFactory: () => new RedisWakeUp(connectRedis(url, 'wake-up'), WAKE_UP_CHANNEL) },
        ]
      : [
          { provide: IdempotencyCache, useFactory: () => new MemoryCache(settings.IDEMPOTENCY_TTL_SECONDS) },
          { provide: WakeUp, useClass: LocalWakeUp },
        ];
    return {
      module: CacheModule,
      providers: [...providers, CloseCache],
      exports: [IdempotencyCache, WakeUp],
    };
  }
}

/** Remembers the first success; failures are not remembered. */
function onceItWorks(read: () => Promise<string>): () => Promise<string> {
  let value: string | undefined;
  return async () => (value ??= await read());
}

@Injectable()
class CloseCache implements OnApplicationShutdown {
  constructor(
    @Inject(IdempotencyCache) private readonly cache: IdempotencyCache,
    @Inject(WakeUp) private readonly wakeUp: WakeUp,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
    await this.wakeUp.close();
  }
}
