import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Metrics } from '../../src/observability/metrics';
import { LocalCounter } from '../../src/redis/local-counter';
import { connectRedis } from '../../src/redis/redis-connection';
import { RedisCounter } from '../../src/redis/redis-counter';
import { WINDOW_MS, type WindowCounter } from '../../src/redis/window-counter';
import { eventually } from '../support/eventually';
import { atTheEnd, closeAll } from '../support/broker/closing';
import { openProxy } from '../support/broker/proxy';

Logger.overrideLogger(false);

async function connected(url = process.env.TEST_REDIS_URL as string): Promise<Redis> {
  const redis = connectRedis(url, 'test');
  atTheEnd(() => redis.disconnect());
  await eventually(() => redis.ping());
  return redis;
}

async function redisCounter(): Promise<{ counter: RedisCounter; redis: Redis; prefix: string; metrics: Metrics }> {
  const [redis, prefix, metrics] = [await connected(), `test:${randomUUID()}:`, new Metrics()];
  return { counter: new RedisCounter(redis, prefix, metrics), redis, prefix, metrics };
}

afterEach(closeAll);

describe.each([
  ['LocalCounter', () => Promise.resolve<WindowCounter>(new LocalCounter())],
  ['RedisCounter', async (): Promise<WindowCounter> => (await redisCounter()).counter],
])('%s', (_name, open) => {
  let counter: WindowCounter;
  beforeEach(async () => {
    counter = await open();
  });

  it('grants points up to the limit and no more', async () => {
    expect(await counter.take('a', 3, 5)).toMatchObject({ granted: 3, used: 3 });
    expect(await counter.take('a', 3, 5)).toMatchObject({ granted: 2, used: 5 });
    expect(await counter.take('a', 1, 5)).toMatchObject({ granted: 0, used: 5 });
    expect(await counter.take('b', 1, 5)).toMatchObject({ granted: 1, used: 1 });
  });

  it('says how long the window lasts, which later calls do not extend', async () => {
    const first = await counter.take('a', 1, 5);
    expect(first.endsInMs).toBeLessThanOrEqual(WINDOW_MS);
    expect(first.endsInMs).toBeGreaterThan(WINDOW_MS - 5_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await counter.take('a', 1, 5)).endsInMs).toBeLessThan(first.endsInMs);
  });

  it('grants a lower bound only below it', async () => {
    await counter.take('a', 4, 10);
    expect(await counter.take('a', 5, 3)).toMatchObject({ granted: 0, used: 4 });
    expect(await counter.take('a', 5, 6)).toMatchObject({ granted: 2, used: 6 });
  });

  it('reads the count without beginning a window', async () => {
    expect(await counter.take('a', 0, 5)).toMatchObject({ granted: 0, used: 0 });
    await counter.take('a', 2, 5);
    expect(await counter.take('a', 0, 5)).toMatchObject({ granted: 0, used: 2 });
  });

  it('takes back points of the current window only, and never counts below 0', async () => {
    const { endsInMs } = await counter.take('a', 4, 5);
    counter.giveBack('a', 3, endsInMs);
    expect(await counter.take('a', 0, 5)).toMatchObject({ used: 1 });
    for (const other of [0, -1, endsInMs - WINDOW_MS]) counter.giveBack('a', 1, other);
    expect(await counter.take('a', 0, 5)).toMatchObject({ used: 1 });
    counter.giveBack('a', 9, endsInMs);
    counter.giveBack('never taken', 9, endsInMs);
    expect(await counter.take('a', 9, 5)).toMatchObject({ granted: 5, used: 5 });
    expect(await counter.take('never taken', 9, 5)).toMatchObject({ granted: 5, used: 5 });
  });

  it('grants a limit exactly to concurrent callers', async () => {
    const taken = await Promise.all(Array.from({ length: 200 }, () => counter.take('a', 1, 60)));
    expect(taken.filter(({ granted }) => granted === 1)).toHaveLength(60);
  });
});

describe('LocalCounter', () => {
  afterEach(() => jest.restoreAllMocks());

  it('starts again when the window has ended, and forgets ended windows', async () => {
    const counter = new LocalCounter();
    for (const key of ['a', 'b', 'c']) await counter.take(key, 5, 5);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + WINDOW_MS + 1);
    expect(await counter.take('a', 5, 5)).toMatchObject({ granted: 5, used: 5 });
    expect((counter as unknown as { windows: Map<string, unknown> }).windows.size).toBe(1);
  });

  it('keeps a bounded number of windows', async () => {
    const counter = new LocalCounter(100);
    for (let i = 0; i < 1_000; i++) await counter.take(`key-${i}`, 1, 5);
    expect((counter as unknown as { windows: Map<string, unknown> }).windows.size).toBe(100);
    expect(await counter.take('key-999', 9, 5)).toMatchObject({ granted: 4 });
  });
});

describe('RedisCounter', () => {
  it('shares the count of several processes, also with earlier builds, which count beyond the limit', async () => {
    const { counter, redis, prefix, metrics } = await redisCounter();
    const other = new RedisCounter(await connected(), prefix, metrics);
    await counter.take('a', 3, 5);
    expect(await other.take('a', 3, 5)).toMatchObject({ granted: 2, used: 5 });
    await redis.incrby(`${prefix}a`, 7);
    expect(await counter.take('a', 1, 5)).toMatchObject({ granted: 0, used: 12 });
    expect(await metrics.registry.metrics()).toContain('streamforge_foreign_values_total{place="limit"} 0');
  });

  it('counts apart for each installation, and in this process while it is not known which one this is', async () => {
    const { redis, prefix, metrics } = await redisCounter();
    const own: { name?: string } = {};
    const ours = new RedisCounter(redis, prefix, metrics, () => own.name);
    const theirs = new RedisCounter(redis, prefix, metrics, () => 'theirs');
    expect((await ours.take('a', 1, 5)).counter).toBeInstanceOf(LocalCounter);
    own.name = 'ours';
    expect(await ours.take('a', 4, 5)).toMatchObject({ granted: 4, used: 4, counter: ours });
    expect(await theirs.take('a', 4, 5)).toMatchObject({ granted: 4, used: 4, counter: theirs });
    expect(await redis.get(`${prefix}ours:a`)).toBe('4');
  });

  it('starts again when the window has ended', async () => {
    const { counter, redis, prefix } = await redisCounter();
    await counter.take('a', 5, 5);
    await redis.pexpire(`${prefix}a`, 50);
    await eventually(async () => expect(await counter.take('a', 1, 5)).toMatchObject({ granted: 1, used: 1 }));
  });

  it('gives nothing back to the window after the one that points were taken from', async () => {
    const { counter, redis, prefix } = await redisCounter();
    const { endsInMs } = await counter.take('a', 5, 5);
    await redis.pexpire(`${prefix}a`, 20_000); // so it looks as if it had begun 40 s earlier
    counter.giveBack('a', 5, endsInMs);
    expect(await counter.take('a', 0, 5)).toMatchObject({ used: 5 });
  });

  it('ignores and counts a value that it did not write, and starts again', async () => {
    const { counter, redis, prefix, metrics } = await redisCounter();
    const key = `${prefix}a`;
    const writes: (() => Promise<unknown>)[] = [
      () => redis.set(key, 'true', 'PX', 1_000),
      () => redis.set(key, '-5', 'PX', 1_000),
      () => redis.set(key, '1.5', 'PX', 1_000),
      () => redis.set(key, '1e3', 'PX', 1_000),
      () => redis.set(key, '', 'PX', 1_000),
      () => redis.set(key, '9'.repeat(16), 'PX', 1_000),
      () => redis.set(key, '5'), // never expires
      () => redis.set(key, '5', 'PX', WINDOW_MS * 10),
      () => redis.lpush(key, '5'),
      () => redis.hset(key, 'used', '5'),
    ];
    for (const [i, write] of writes.entries()) {
      await redis.del(key);
      await write();
      const taken = await counter.take('a', 2, 5);
      expect([i, taken]).toMatchObject([i, { granted: 2, used: 2 }]);
      expect(await redis.pttl(key)).toBeGreaterThan(WINDOW_MS - 5_000);
      const text = `streamforge_foreign_values_total{place="limit"} ${i + 1}`;
      expect(await metrics.registry.metrics()).toContain(text);
    }
  });

  it('counts in this process while Redis is away or frozen, without waiting long, and shares again afterwards', async () => {
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    const counter = new RedisCounter(await connected(proxy.url), `test:${randomUUID()}:`, new Metrics());
    const before = await counter.take('a', 5, 5);
    expect(before.counter).toBe(counter);
    for (const [fail, restore] of [
      [() => proxy.cut(), () => proxy.restore()],
      [() => Promise.resolve(proxy.freeze()), () => Promise.resolve(proxy.thaw())],
    ] as const) {
      await fail();
      const startedMs = performance.now();
      const key = randomUUID();
      expect(await counter.take('a', 1, 5)).toMatchObject({ granted: 0, used: 5 }); // goes on from the last count
      const taken = await Promise.all(Array.from({ length: 20 }, () => counter.take(key, 1, 5)));
      expect(performance.now() - startedMs).toBeLessThan(1_500);
      expect(taken.filter(({ granted }) => granted === 1)).toHaveLength(5);
      expect(taken.every(({ counter: other }) => other !== counter)).toBe(true);
      await restore();
      await eventually(async () => expect((await counter.take('a', 1, 5)).counter).toBe(counter));
      expect(await counter.take('a', 1, 5)).toMatchObject({ granted: 0, used: 5 });
    }
  });
});
