import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { connectRedis } from '../../src/redis/redis-connection';
import { LocalWakeUp, RedisWakeUp, type WakeUp } from '../../src/redis/wake-up';
import { eventually } from '../support/eventually';
import { atTheEnd, closeAll } from '../support/broker/closing';
import { openProxy } from '../support/broker/proxy';

Logger.overrideLogger(false);

function openRedisWakeUp(channel: string, url = process.env.TEST_REDIS_URL as string): RedisWakeUp {
  const wakeUp = new RedisWakeUp(connectRedis(url, 'test'), channel);
  atTheEnd(() => wakeUp.close());
  return wakeUp;
}

/** Counts the signals that a listener gets. */
class Ear {
  heard = 0;
  readonly stop: () => void;

  constructor(wakeUp: WakeUp) {
    this.stop = wakeUp.listen(() => this.heard++);
  }

  /** Signals until this listener gets one: Redis may not be connected yet, and signals may be lost. */
  async hears(from: WakeUp): Promise<void> {
    const before = this.heard;
    await eventually(() => {
      from.signal();
      expect(this.heard).toBeGreaterThan(before);
    });
  }
}

/** Opens a sender and a connected listener: from now on every signal arrives exactly once. */
async function openConnectedPair(): Promise<{ api: RedisWakeUp; ear: Ear }> {
  const channel = randomUUID();
  const redis = connectRedis(process.env.TEST_REDIS_URL as string, 'test');
  const api = new RedisWakeUp(redis, channel);
  atTheEnd(() => api.close());
  const ear = new Ear(openRedisWakeUp(channel));
  await eventually(async () => expect(await redis.pubsub('NUMSUB', channel)).toEqual([channel, 1]));
  return { api, ear };
}

describe.each([
  ['LocalWakeUp', () => new LocalWakeUp()],
  ['RedisWakeUp', () => openRedisWakeUp(randomUUID())],
])('%s', (_name, open: () => WakeUp) => {
  afterEach(closeAll);

  it('signals every listener', async () => {
    const wakeUp = open();
    for (const ear of [new Ear(wakeUp), new Ear(wakeUp)]) await ear.hears(wakeUp);
  });

  it('signals a stopped listener no more, and still the others', async () => {
    const wakeUp = open();
    const [stopped, other] = [new Ear(wakeUp), new Ear(wakeUp)];
    await stopped.hears(wakeUp);
    stopped.stop();
    stopped.stop();
    const before = stopped.heard;
    await other.hears(wakeUp);
    expect(stopped.heard).toBe(before);
  });

  it('accepts a listener after the last one has stopped', async () => {
    const wakeUp = open();
    const first = new Ear(wakeUp);
    await first.hears(wakeUp);
    first.stop();
    await new Ear(wakeUp).hears(wakeUp);
  });

  it('never throws, neither without a listener nor after close', async () => {
    const wakeUp = open();
    wakeUp.signal();
    await wakeUp.close();
    wakeUp.signal();
    await wakeUp.close();
  });
});

describe('RedisWakeUp', () => {
  afterEach(closeAll);

  it('signals listeners in other processes, and only those of its channel', async () => {
    const [here, elsewhere] = [await openConnectedPair(), await openConnectedPair()];
    here.api.signal();
    await eventually(() => expect(here.ear.heard).toBe(1));
    elsewhere.api.signal();
    await eventually(() => expect(elsewhere.ear.heard).toBe(1));
    expect(here.ear.heard).toBe(1);
  });

  it('combines a burst into one signal, and loses no later signal', async () => {
    const { api, ear } = await openConnectedPair();
    for (let i = 0; i < 10_000; i++) api.signal();
    await eventually(() => expect(ear.heard).toBe(1));
    api.signal();
    await eventually(() => expect(ear.heard).toBe(2));
  });

  it('sends at most one signal in 2 ms while signals keep coming', async () => {
    const { api, ear } = await openConnectedPair();
    const startedAt = performance.now();
    while (ear.heard < 10) {
      for (let i = 0; i < 100; i++) api.signal();
      await new Promise(setImmediate);
    }
    expect(ear.heard).toBeLessThanOrEqual((performance.now() - startedAt) / 2 + 1); // at most one in 2 ms
  });

  it('never throws while Redis is down, and signals again when it is back', async () => {
    const channel = randomUUID();
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    const [api, publisher] = [openRedisWakeUp(channel, proxy.url), openRedisWakeUp(channel, proxy.url)];
    const ear = new Ear(publisher);
    await ear.hears(api);
    await proxy.cut();
    for (let i = 0; i < 5; i++) {
      api.signal();
      await new Promise((resolve) => setTimeout(resolve, 5)); // longer than the debounce, so that each signal is sent
    }
    await proxy.restore();
    await ear.hears(api);
  });

  it('listens as soon as Redis is up, even when it was down at the start', async () => {
    const channel = randomUUID();
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    await proxy.cut();
    const wakeUp = openRedisWakeUp(channel, proxy.url);
    const ear = new Ear(wakeUp);
    wakeUp.signal();
    await proxy.restore();
    await ear.hears(wakeUp);
    await ear.hears(openRedisWakeUp(channel));
  });
});
