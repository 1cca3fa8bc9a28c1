import { Logger } from '@nestjs/common';
import { MemoryCache } from '../../src/redis/memory-cache';
import { Metrics } from '../../src/observability/metrics';
import { signedFact } from '../../src/redis/cached-fact';
import { NoMacKeys, type MacKeys } from '../../src/integrity/mac-keys';
import { macKeys } from '../support/mac-keys';
import { RedisCache } from '../../src/redis/redis-cache';
import { connectRedis } from '../../src/redis/redis-connection';
import { eventually } from '../support/eventually';
import { atTheEnd, closeAll } from '../support/broker/closing';
import { describeIdempotencyCache, fact } from './idempotency-cache.contract';
import { openProxy } from '../support/broker/proxy';
import type { TcpProxy } from '../support/broker/tcp-proxy';

Logger.overrideLogger(false);

const redisUrl = (): string => process.env.TEST_REDIS_URL as string;

const PATIENCE_MS = 30_000;
/** Of a foreign value. */
const MEGABYTES = 16;

interface CacheParts {
  url?: string;
  incarnation?: string;
  ttlSeconds?: number;
  metrics?: Metrics;
  keys?: MacKeys;
  /** With the time limits of production, which a busy machine exceeds. */
  strict?: boolean;
}

function openRedisCache({
  url = redisUrl(),
  incarnation = 'the database',
  ttlSeconds = 60,
  metrics = new Metrics(),
  keys = macKeys('ours'),
  strict = false,
}: CacheParts = {}): RedisCache {
  const redis = connectRedis(url, 'test');
  if (!strict) redis.options.commandTimeout = PATIENCE_MS;
  const limit = strict ? undefined : PATIENCE_MS;
  const cache = new RedisCache(redis, () => Promise.resolve(incarnation), ttlSeconds, metrics, keys, limit);
  atTheEnd(() => cache.close());
  return cache;
}

describeIdempotencyCache('MemoryCache', (ttlSeconds) => new MemoryCache(ttlSeconds));
describeIdempotencyCache('RedisCache', (ttlSeconds) => openRedisCache({ ttlSeconds }));

it('MemoryCache is bounded and drops the oldest fact first', async () => {
  const cache = new MemoryCache(60, 3);
  const [a, b, c, d] = [fact(), fact(), fact(), fact()];
  await cache.remember([a, b, c]);
  await cache.remember([a]);
  await cache.remember([d]);
  const found = await cache.lookup([a, b, c, d].map(({ digest }) => digest));
  expect([...found.keys()].sort()).toEqual([a, c, d].map(({ digest }) => digest).sort());
});

describe('RedisCache', () => {
  afterEach(closeAll);

  it('I2: returns no fact that another incarnation of the database has committed', async () => {
    const [before, same, restored] = [
      openRedisCache({ incarnation: 'before' }),
      openRedisCache({ incarnation: 'before' }),
      openRedisCache({ incarnation: 'restored' }),
    ];
    await Promise.all([before, same, restored].map((cache) => eventually(() => cache.ping())));
    const one = fact();
    await before.remember([one]);
    expect((await restored.lookup([one.digest])).size).toBe(0);
    expect((await same.lookup([one.digest])).size).toBe(1); // so Redis was working for both
  });

  it('returns no value of another shape, and counts it', async () => {
    const metrics = new Metrics();
    const redis = connectRedis(redisUrl(), 'test');
    atTheEnd(() => redis.disconnect());
    const cache = openRedisCache({ incarnation: 'foreign', metrics });
    await eventually(() => cache.ping());
    const [one, other] = [fact(), fact()];
    await cache.remember([one, other]);
    const key = (await redis.keys('streamforge:foreign:key:*')).find((name) => name.endsWith(other.digest)) as string;
    for (const text of ['true', '-1', '{"id":1}', '"x"', '[]', 'no JSON']) {
      await redis.set(key, text);
      const found = await cache.lookup([one.digest, other.digest]);
      expect(found).toEqual(new Map([[one.digest, one.committed]]));
    }
    expect(await metrics.registry.metrics()).toContain('streamforge_foreign_values_total{place="cache"} 6');
    await cache.remember([other]);
    expect((await cache.lookup([other.digest])).size).toBe(1);
  });

  it('I2: returns no fact that somebody else has written, changed or moved, and counts it', async () => {
    const metrics = new Metrics();
    const redis = connectRedis(redisUrl(), 'test');
    atTheEnd(() => redis.disconnect());
    const cache = openRedisCache({ incarnation: 'hostile', metrics });
    await eventually(() => cache.ping());
    const [one, other] = [fact(), fact()];
    await cache.remember([one, other]);
    const nameOf = (digest: string) => `streamforge:hostile:key:${digest}`;
    const [ours, others] = (await redis.mget(nameOf(one.digest), nameOf(other.digest))) as [string, string];
    const invented = fact();
    const theirs = macKeys('theirs').current();
    const forgeries: Record<string, string> = {
      'a fact that names another event': ours.replace(one.committed.id, invented.committed.id),
      'the fact of another key': others,
      'a fact that is signed with another key': signedFact(nameOf(one.digest), invented.committed, theirs),
      'a fact of another database': signedFact('streamforge:before:key:x', one.committed, macKeys('ours').current()),
      'a fact without a signature': ours.slice(ours.indexOf('{')),
      'a longer one': `${ours} `,
      'a shorter one': ours.slice(0, -1),
    };
    for (const [what, text] of Object.entries(forgeries)) {
      await redis.set(nameOf(one.digest), text);
      expect([what, (await cache.lookup([one.digest])).size]).toEqual([what, 0]);
    }
    expect(await metrics.registry.metrics()).toContain('streamforge_foreign_values_total{place="cache"} 7');
    await redis.set(nameOf(one.digest), ours);
    expect((await cache.lookup([one.digest])).get(one.digest)).toEqual(one.committed);
  });

  it('fetches no more than a fact of a value of megabytes, counts it, and ignores a value of another type', async () => {
    const metrics = new Metrics();
    const redis = connectRedis(redisUrl(), 'test');
    redis.options.commandTimeout = PATIENCE_MS;
    const incarnation = () => Promise.resolve('huge');
    const cache = new RedisCache(redis, incarnation, 60, metrics, macKeys('ours'), PATIENCE_MS);
    atTheEnd(() => cache.close());
    await eventually(() => cache.ping());
    const [one, huge, list] = [fact(), fact(), fact()];
    const nameOf = (digest: string) => `streamforge:huge:key:${digest}`;
    await cache.remember([one, huge]);
    const ours = (await redis.get(nameOf(huge.digest))) as string;
    await redis.setrange(nameOf(huge.digest), MEGABYTES * 1024 * 1024, 'x'); // behind a fact of ours
    await redis.lpush(nameOf(list.digest), ours);
    atTheEnd(() => redis.del(nameOf(huge.digest)));
    const before = redis.stream.bytesRead;
    const found = await cache.lookup([huge.digest, one.digest, list.digest]);
    expect(found).toEqual(new Map([[one.digest, one.committed]]));
    expect(redis.stream.bytesRead - before).toBeLessThan(16 * 1024);
    expect(await metrics.registry.metrics()).toContain('streamforge_foreign_values_total{place="cache"} 1');
  });

  it('repeats the facts of the key before, and signs with the new one, while the key is rotated', async () => {
    const cacheWith = (keys: MacKeys) => openRedisCache({ incarnation: 'rotated', keys });
    const before = cacheWith(macKeys('before'));
    const both = cacheWith(macKeys('after', 'before'));
    const after = cacheWith(macKeys('after'));
    await Promise.all([before, both, after].map((cache) => eventually(() => cache.ping())));
    const [old, young] = [fact(), fact()];
    await before.remember([old]);
    await both.remember([young]);
    const digests = [old.digest, young.digest];
    expect([...(await both.lookup(digests)).keys()]).toEqual(digests);
    expect([...(await before.lookup(digests)).keys()]).toEqual([old.digest]);
    expect([...(await after.lookup(digests)).keys()]).toEqual([young.digest]);
  });

  it('neither looks up nor remembers anything without the key of the installation', async () => {
    const [keyless, ours] = [
      openRedisCache({ incarnation: 'keyless', keys: new NoMacKeys() }),
      openRedisCache({ incarnation: 'keyless' }),
    ];
    await Promise.all([keyless, ours].map((cache) => eventually(() => cache.ping())));
    const [one, other] = [fact(), fact()];
    await ours.remember([one]);
    await keyless.remember([other]);
    expect((await keyless.lookup([one.digest, other.digest])).size).toBe(0);
    expect([...(await ours.lookup([one.digest, other.digest])).keys()]).toEqual([one.digest]);
  });

  it('returns nothing while the incarnation cannot be read, and never throws', async () => {
    let known = false;
    const incarnation = () => (known ? Promise.resolve('known') : Promise.reject(new Error('PostgreSQL is down')));
    const cache = new RedisCache(connectRedis(redisUrl(), 'test'), incarnation, 60, new Metrics(), macKeys('ours'));
    atTheEnd(() => cache.close());
    const one = fact();
    await cache.remember([one]);
    expect(await cache.lookup([one.digest])).toEqual(new Map());
    known = true;
    await eventually(async () => {
      await cache.remember([one]);
      expect((await cache.lookup([one.digest])).size).toBe(1);
    });
  });

  describe('when Redis fails', () => {
    let proxy: TcpProxy;
    let cache: RedisCache;
    const known = fact();

    beforeEach(async () => {
      proxy = await openProxy(redisUrl());
      cache = openRedisCache({ url: proxy.url, strict: true });
      await isCached(known);
    });

    /** A busy machine may exceed the cache's time limit, which counts as a miss. */
    const isCached = (one: ReturnType<typeof fact>): Promise<void> =>
      eventually(async () => {
        await cache.remember([one]);
        expect((await cache.lookup([one.digest])).size).toBe(1);
      });
    const expectQuickMisses = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        const startedAt = performance.now();
        expect(await cache.lookup([known.digest])).toEqual(new Map());
        await cache.remember([fact()]);
        expect(performance.now() - startedAt).toBeLessThan(1_000);
      }
      await expect(cache.ping()).rejects.toThrow();
    };
    const expectRecovery = async (): Promise<void> => {
      await eventually(async () => expect((await cache.lookup([known.digest])).size).toBe(1));
      await isCached(fact());
      await cache.ping();
    };

    it('returns misses quickly while the connection is cut, and recovers', async () => {
      await proxy.cut();
      await expectQuickMisses();
      await proxy.restore();
      await expectRecovery();
    });

    it('returns misses quickly while Redis is frozen, and recovers', async () => {
      proxy.freeze();
      await expectQuickMisses();
      proxy.thaw();
      await expectRecovery();
    });

    it('replaces a connection on which nothing arrives any more', async () => {
      proxy.silence();
      await expectRecovery();
    });

    it('returns misses quickly when Redis was never up, and recovers', async () => {
      await proxy.cut();
      cache = openRedisCache({ url: proxy.url, incarnation: 'late', strict: true });
      await expectQuickMisses();
      await proxy.restore();
      await isCached(known);
    });

    it('treats an error response to remember as a later miss, not as an error', async () => {
      const broken = openRedisCache({ ttlSeconds: 0 }); // Redis rejects SET ... EX 0
      const one = fact();
      await eventually(() => broken.ping());
      await broken.remember([one]);
      expect(await broken.lookup([one.digest])).toEqual(new Map());
    });
  });
});
