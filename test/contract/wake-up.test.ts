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

/** Counts the signals that a listener hears. */
class Ear {
  heard = 0;
  readonly stop: () => void;

  constructor(wakeUp: WakeUp) {
    this.stop = wakeUp.listen(() => this.heard++);
  }

  /** Signals until this one hears it: at first Redis may not be connected, and a lost signal is allowed. */
  async hears(from: WakeUp): Promise<void> {
    const before = this.heard;
    await eventually(() => {
      from.signal();
      expect(this.heard).toBeGreaterThan(before);
    });
  }
}

/** A pair, with an ear on the second, that is connected already: from here on every signal is heard exactly once. */
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

  it('tells every listener', async () => {
    const wakeUp = open();
    for (const ear of [new Ear(wakeUp), new Ear(wakeUp)]) await ear.hears(wakeUp);
  });

  it('tells a stopped listener nothing more, and the others still', async () => {
    const wakeUp = open();
    const [stopped, other] = [new Ear(wakeUp), new Ear(wakeUp)];
    await stopped.hears(wakeUp);
    stopped.stop();
    stopped.stop();
    const before = stopped.heard;
    await other.hears(wakeUp);
    expect(stopped.heard).toBe(before);
  });

  it('can be listened to again after the last listener stopped', async () => {
    const wakeUp = open();
    const first = new Ear(wakeUp);
    await first.hears(wakeUp);
    first.stop();
    await new Ear(wakeUp).hears(wakeUp);
  });

  it('never throws, without a listener or after close', async () => {
    const wakeUp = open();
    wakeUp.signal();
    await wakeUp.close();
    wakeUp.signal();
    await wakeUp.close();
  });
});

describe('RedisWakeUp', () => {
  afterEach(closeAll);

  it('tells listeners of other processes, and of its channel only', async () => {
    const [here, elsewhere] = [await openConnectedPair(), await openConnectedPair()];
    here.api.signal();
    await eventually(() => expect(here.ear.heard).toBe(1));
    elsewhere.api.signal();
    await eventually(() => expect(elsewhere.ear.heard).toBe(1));
    expect(here.ear.heard).toBe(1);
  });

  it('makes one signal of a burst, and loses none after it', async () => {
    const { api, ear } = await openConnectedPair();
    for (let i = 0; i < 10_000; i++) api.signal();
    await eventually(() => expect(ear.heard).toBe(1));
    api.signal();
    await eventually(() => expect(ear.heard).toBe(2));
  });

  it('makes few signals of many that keep coming', async () => {
    const { api, ear } = await openConnectedPair();
    const startedAt = performance.now();
    while (ear.heard < 10) {
      for (let i = 0; i < 100; i++) api.signal();
      await new Promise(setImmediate);
    }
    expect(ear.heard).toBeLessThanOrEqual((performance.now() - startedAt) / 2 + 1); // one in 2 ms at the most
  });

  it('never throws while Redis is away, and is heard again when it is back', async () => {
    const channel = randomUUID();
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    const [api, publisher] = [openRedisWakeUp(channel, proxy.url), openRedisWakeUp(channel, proxy.url)];
    const ear = new Ear(publisher);
    await ear.hears(api);
    await proxy.cut();
    for (let i = 0; i < 5; i++) {
      api.signal();
      await new Promise((resolve) => setTimeout(resolve, 5)); // longer than the debounce, so that each is tried
    }
    await proxy.restore();
    await ear.hears(api);
  });

  it('listens once Redis is there, also when that is after the start', async () => {
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
