import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Metrics } from '../../src/observability/metrics';
import { connectRedis } from '../../src/redis/redis-connection';
import { LocalWakeUp, RedisWakeUp, type WakeUp } from '../../src/redis/wake-up';
import { eventually } from '../support/eventually';
import { atTheEnd, closeAll } from '../support/broker/closing';
import { openProxy } from '../support/broker/proxy';

Logger.overrideLogger(false);

function openRedisWakeUp(
  channel: string,
  url = process.env.TEST_REDIS_URL as string,
  metrics = new Metrics(),
): RedisWakeUp {
  const wakeUp = new RedisWakeUp(connectRedis(url, 'test'), () => Promise.resolve(channel), metrics);
  atTheEnd(() => wakeUp.close());
  return wakeUp;
}

/** Counts the signals that a listener gets. */
class SignalCounter {
  signals = 0;
  readonly stop: () => void;

  constructor(wakeUp: WakeUp) {
    this.stop = wakeUp.listen(() => this.signals++);
  }

  /** Signals until this listener gets one: Redis may not be connected yet, and signals may be lost. */
  async getsSignalFrom(from: WakeUp): Promise<void> {
    const before = this.signals;
    await eventually(() => {
      from.signal();
      expect(this.signals).toBeGreaterThan(before);
    });
  }
}

/** Opens a sender and a connected listener: from now on every signal arrives exactly once. */
async function openConnectedPair(): Promise<{ api: RedisWakeUp; counter: SignalCounter }> {
  const channel = randomUUID();
  const redis = connectRedis(process.env.TEST_REDIS_URL as string, 'test');
  const api = new RedisWakeUp(redis, () => Promise.resolve(channel), new Metrics());
  atTheEnd(() => api.close());
  const counter = new SignalCounter(openRedisWakeUp(channel));
  await eventually(async () => expect(await redis.pubsub('NUMSUB', channel)).toEqual([channel, 1]));
  return { api, counter };
}

describe.each([
  ['LocalWakeUp', () => new LocalWakeUp()],
  ['RedisWakeUp', () => openRedisWakeUp(randomUUID())],
])('%s', (_name, open: () => WakeUp) => {
  afterEach(closeAll);

  it('signals every listener', async () => {
    const wakeUp = open();
    for (const counter of [new SignalCounter(wakeUp), new SignalCounter(wakeUp)]) await counter.getsSignalFrom(wakeUp);
  });

  it('signals a stopped listener no more, and still the others', async () => {
    const wakeUp = open();
    const [stopped, other] = [new SignalCounter(wakeUp), new SignalCounter(wakeUp)];
    await stopped.getsSignalFrom(wakeUp);
    stopped.stop();
    stopped.stop();
    const before = stopped.signals;
    await other.getsSignalFrom(wakeUp);
    expect(stopped.signals).toBe(before);
  });

  it('accepts a listener after the last one has stopped', async () => {
    const wakeUp = open();
    const first = new SignalCounter(wakeUp);
    await first.getsSignalFrom(wakeUp);
    first.stop();
    await new SignalCounter(wakeUp).getsSignalFrom(wakeUp);
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
    await eventually(() => expect(here.counter.signals).toBe(1));
    elsewhere.api.signal();
    await eventually(() => expect(elsewhere.counter.signals).toBe(1));
    expect(here.counter.signals).toBe(1);
  });

  it('ignores and counts a message that is not a signal', async () => {
    const channel = randomUUID();
    const metrics = new Metrics();
    const redis = connectRedis(process.env.TEST_REDIS_URL as string, 'test');
    const counter = new SignalCounter(openRedisWakeUp(channel, undefined, metrics));
    atTheEnd(() => redis.disconnect());
    await eventually(async () => expect(await redis.pubsub('NUMSUB', channel)).toEqual([channel, 1]));
    for (const text of ['signal', '0', '{}', ' ']) await redis.publish(channel, text);
    await redis.publish(channel, '');
    await eventually(() => expect(counter.signals).toBe(1));
    expect(await metrics.registry.metrics()).toContain('streamforge_foreign_values_total{place="wake-up"} 4');
  });

  it('combines a burst into a signal at once and one after the pause, and loses no later signal', async () => {
    const { api, counter } = await openConnectedPair();
    for (let i = 0; i < 10_000; i++) api.signal();
    await eventually(() => expect(counter.signals).toBe(2));
    api.signal();
    await eventually(() => expect(counter.signals).toBe(3));
  });

  it('sends at most one signal in 5 ms while signals keep coming', async () => {
    const { api, counter } = await openConnectedPair();
    const startedAt = performance.now();
    while (counter.signals < 10) {
      for (let i = 0; i < 100; i++) api.signal();
      await new Promise(setImmediate);
    }
    expect(counter.signals).toBeLessThanOrEqual((performance.now() - startedAt) / 4 + 2); // timers are a little early
  });

  it('listens again after nothing arrives on its connection any more', async () => {
    const channel = randomUUID();
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    const counter = new SignalCounter(openRedisWakeUp(channel, proxy.url));
    const api = openRedisWakeUp(channel);
    await counter.getsSignalFrom(api);
    proxy.silence();
    await counter.getsSignalFrom(api);
  });

  it('never throws while Redis is down, and signals again when it is back', async () => {
    const channel = randomUUID();
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    const [api, publisher] = [openRedisWakeUp(channel, proxy.url), openRedisWakeUp(channel, proxy.url)];
    const counter = new SignalCounter(publisher);
    await counter.getsSignalFrom(api);
    await proxy.cut();
    for (let i = 0; i < 5; i++) {
      api.signal();
      await new Promise((resolve) => setTimeout(resolve, 20)); // longer than the pause, so that each signal is sent
    }
    await proxy.restore();
    await counter.getsSignalFrom(api);
  });

  it('listens as soon as Redis is up, even when it was down at the start', async () => {
    const channel = randomUUID();
    const proxy = await openProxy(process.env.TEST_REDIS_URL as string);
    await proxy.cut();
    const wakeUp = openRedisWakeUp(channel, proxy.url);
    const counter = new SignalCounter(wakeUp);
    wakeUp.signal();
    await proxy.restore();
    await counter.getsSignalFrom(wakeUp);
    await counter.getsSignalFrom(openRedisWakeUp(channel));
  });
});
