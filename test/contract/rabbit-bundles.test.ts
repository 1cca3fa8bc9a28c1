import { Logger } from '@nestjs/common';
import type { Channel } from 'amqplib';
import { QUEUES, type ReceivedMessage } from '../../src/broker/broker';
import type { RabbitBroker } from '../../src/broker/rabbit-broker';
import { BUNDLES } from '../../src/broker/rabbit-names';
import { closeAll } from '../support/broker/closing';
import { AMPLE_MS, idsOf, Listener, message, messages, publishAll } from '../support/broker/listener';
import type { TestVhost } from '../support/broker/rabbit';
import { BOTH, openRabbitBroker, openRawChannel, openVhost } from '../support/broker/rabbit-queues';
import { eventually } from '../support/eventually';

Logger.overrideLogger(false);

describe('bundles in RabbitMQ', () => {
  let vhost: TestVhost;
  let broker: RabbitBroker;
  let raw: Channel;
  beforeEach(async () => {
    vhost = await openVhost();
    broker = await openRabbitBroker(vhost.url, { ...BOTH, bundleMaxEvents: 10 });
    raw = await openRawChannel(vhost.url);
  });
  afterEach(closeAll);

  const consumers = async (queue: string): Promise<number> => (await raw.checkQueue(queue)).consumerCount;
  const waiting = async (queue: string): Promise<number> => (await raw.checkQueue(queue)).messageCount;
  /** A listener that the publisher knows to take bundles. */
  const listening = async (options: { prefetch?: number; acks?: boolean } = {}, from = broker): Promise<Listener> => {
    const before = await consumers(BUNDLES);
    const listener = new Listener(from, options);
    await eventually(async () => expect(await consumers(BUNDLES)).toBe(before + 1));
    await broker.backlog(QUEUES.main);
    return listener;
  };
  /** Of the messages that RabbitMQ has delivered, and that wait or are in hand. */
  const inBundles = async (listener: Listener): Promise<number> => {
    await listener.consumer.close();
    await eventually(async () => expect(await waiting(BUNDLES)).toBeGreaterThan(0));
    return waiting(BUNDLES);
  };

  it('carry the messages of a call, ten to a bundle; each arrives as itself and in order', async () => {
    const listener = await listening();
    const sent = Array.from({ length: 25 }, (_, i) => message({ headers: { n: i }, body: Buffer.from(`{"n":${i}}`) }));
    await publishAll(broker, sent);
    const received = await listener.receives(25);
    expect(received.map(({ id, headers, body }) => [id, headers, String(body)])).toEqual(
      sent.map(({ id, headers, body }) => [id, headers, String(body)]),
    );
    expect(await inBundles(listener)).toBe(3);
  });

  it('are not made of one message, nor for other queues', async () => {
    const listener = await listening();
    const retries = new Listener(broker, { queue: QUEUES.retry });
    await publishAll(broker, [message(), ...messages(3, { queue: QUEUES.retry })]);
    await Promise.all([listener.receives(1), retries.receives(3)]);
    expect(await waiting(BUNDLES)).toBe(0);
    await listener.consumer.close();
    await eventually(async () => expect(await waiting(QUEUES.main)).toBe(1));
  });

  it('are not made while no worker takes them, as a worker of the build before', async () => {
    const before = new Listener(broker, {}, undefined, false);
    await eventually(async () => expect(await consumers(QUEUES.main)).toBe(1));
    await publishAll(broker, messages(20));
    await before.receives(20);
    expect([await consumers(BUNDLES), await waiting(BUNDLES)]).toEqual([0, 0]);
  });

  it('stay in their queue until the last entry is settled, and then leave it', async () => {
    const listener = await listening();
    await publishAll(broker, messages(10));
    const inHand = await listener.receives(10);
    listener.consumer.ack(inHand.slice(1));
    await listener.consumer.close(); // as a crash does
    const other = new Listener(broker);
    const again = await other.receives(10);
    expect(idsOf(again)).toEqual(idsOf(inHand));
    expect(again.every(({ redelivered }) => redelivered)).toBe(true);
    for (const one of again) other.consumer.ack([one]);
    await other.consumer.close();
    await eventually(async () => expect(await waiting(BUNDLES)).toBe(0));
  });

  it('arrive again as a whole, and marked, when one entry is requeued', async () => {
    const listener = await listening();
    await publishAll(broker, messages(3));
    const [first, ...others] = await listener.receives(3);
    listener.consumer.requeue([first as ReceivedMessage]);
    await expect(broker.waiting(QUEUES.main)).resolves.toBe(0); // the others are in hand
    expect(listener.received).toHaveLength(3);
    listener.consumer.ack(others);
    const again = (await listener.receives(6)).slice(3);
    expect(again.map(({ redelivered }) => redelivered)).toEqual([true, true, true]);
  });

  it('are in events.safety as a whole when one entry is parked', async () => {
    const listener = await listening();
    await publishAll(broker, messages(3));
    const [first, ...others] = await listener.receives(3);
    listener.consumer.park([first as ReceivedMessage]);
    listener.consumer.ack(others);
    await eventually(async () => expect(await waiting('events.safety')).toBe(1));
    expect(listener.received).toHaveLength(3);
  });

  it('do not make a consumer exceed its prefetch, which counts entries', async () => {
    const listener = await listening({ prefetch: 4 });
    await publishAll(broker, messages(30));
    for (let settled = 0; settled < 30; settled++) {
      await listener.receives(Math.min(settled + 4, 30));
      expect(listener.received.length - settled).toBeLessThanOrEqual(4);
      listener.consumer.ack([listener.received[settled] as ReceivedMessage]);
    }
    expect(new Set(listener.ids).size).toBe(30);
  });

  it('are shared by two consumers, and none keeps more of them than its prefetch has room for', async () => {
    const [one, two] = [await listening({ prefetch: 50 }), await listening({ prefetch: 50 })];
    await publishAll(broker, messages(60));
    await eventually(() => expect(one.received.length + two.received.length).toBe(40)); // two bundles each
    await eventually(async () => expect(await waiting(BUNDLES)).toBe(2));
  });

  it('go back with what was not handed out when a consumer is cancelled', async () => {
    const listener = await listening({ prefetch: 4 });
    const sent = messages(10);
    await publishAll(broker, sent);
    const inHand = await listener.receives(4);
    await listener.consumer.cancel();
    listener.consumer.ack(inHand);
    const other = new Listener(broker, { acks: true });
    await other.receivesExactly(idsOf(sent)); // also the acked ones, which the worker finds settled
    expect(listener.received).toHaveLength(4);
  });

  it('count as their entries in what waits', async () => {
    const listener = await listening({ acks: true });
    for (let i = 0; i < 20; i++) await publishAll(broker, messages(50));
    await listener.receives(1_000);
    await listener.consumer.cancel();
    await eventually(async () => expect(await consumers(BUNDLES)).toBe(0));
    raw.sendToQueue(BUNDLES, Buffer.from('x'));
    raw.sendToQueue(BUNDLES, Buffer.from('x'));
    await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(20));
  });

  it('do not count where only workers of the build before are left, so that the reconciler sends their events again', async () => {
    new Listener(broker, {}, undefined, false);
    await eventually(async () => expect(await consumers(QUEUES.main)).toBe(1));
    raw.sendToQueue(BUNDLES, Buffer.from('x'));
    await eventually(async () => expect(await waiting(BUNDLES)).toBe(1));
    await expect(broker.waiting(QUEUES.main)).resolves.toBe(0);
  });

  it('I3: are unroutable in all entries when their queue is gone; the next call publishes each message alone', async () => {
    await listening();
    await raw.deleteQueue(BUNDLES);
    const sent = messages(3);
    expect(await broker.publish(sent, AMPLE_MS)).toEqual(['unroutable', 'unroutable', 'unroutable']);
    expect(await broker.publish(sent, AMPLE_MS)).toEqual(['confirmed', 'confirmed', 'confirmed']);
    const other = await openRawChannel(vhost.url); // declared and consumed again:
    await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(0));
    expect((await other.checkQueue(BUNDLES)).consumerCount).toBe(1);
  });

  it('that hold an entry which cannot be encoded fail none of the entries, which are then published alone', async () => {
    await listening();
    const poison = message({ headers: { loop: 1n as unknown as number } });
    const outcomes = await broker.publish([message(), poison, message()], AMPLE_MS);
    expect(outcomes).toEqual(['channel-broken', 'channel-broken', 'channel-broken']);
    await eventually(() => expect(broker.canPublish()).toBe(true));
    expect(await broker.publish([poison], AMPLE_MS)).toEqual([
      { rejected: expect.stringContaining('cannot be encoded') as string },
    ]);
  });

  it('that cannot be read arrive as one message', async () => {
    const listener = await listening();
    for (const body of ['x', '[]\n', '[["a",5,{}]]\nx'])
      raw.publish('events', BUNDLES, Buffer.from(body), { messageId: body });
    const received = await listener.receives(3);
    expect(received.map(({ body, doubt }) => [String(body), doubt])).toEqual([
      ['x', 'unsigned'],
      ['[]\n', 'unsigned'],
      ['[["a",5,{}]]\nx', 'unsigned'],
    ]);
  });
});
