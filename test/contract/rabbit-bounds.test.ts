import { Logger } from '@nestjs/common';
import type { Channel } from 'amqplib';
import { QUEUES } from '../../src/broker/broker';
import { BOUNDED } from '../../src/broker/rabbit-topology';
import { closeAll } from '../support/broker/closing';
import { AMPLE_MS, Listener, message } from '../support/broker/listener';
import type { TestVhost } from '../support/broker/rabbit';
import { openRabbitBroker, openRawChannel, openVhost, PUBLISHER } from '../support/broker/rabbit-queues';
import { eventually } from '../support/eventually';

Logger.overrideLogger(false);

const SAFETY = 'events.safety';
const MEGABYTE = 1_048_576;
/** As the build before declares them. */
const UNBOUNDED = {
  [SAFETY]: { 'x-queue-type': 'quorum' },
  [QUEUES.dlq]: { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': SAFETY },
};

describe('a queue that nobody may consume', () => {
  let vhost: TestVhost;
  let raw: Channel;
  beforeEach(async () => {
    vhost = await openVhost();
    raw = await openRawChannel(vhost.url);
  });
  afterEach(closeAll);

  const declareAsBefore = async (channel: Channel): Promise<void> => {
    await channel.assertExchange(SAFETY, 'fanout', { durable: true });
    await channel.assertExchange('events', 'direct', { durable: true });
    for (const [queue, args] of Object.entries(UNBOUNDED)) {
      await channel.assertQueue(queue, { durable: true, arguments: args });
    }
    await channel.bindQueue(SAFETY, SAFETY, '');
    await channel.bindQueue(QUEUES.dlq, 'events', QUEUES.dlq);
  };
  const isBounded = async (queue: string): Promise<boolean> => {
    const channel = await openRawChannel(vhost.url);
    return channel.assertQueue(queue, { durable: true, arguments: BOUNDED }).then(
      () => true,
      () => false,
    );
  };

  it('drops its oldest messages when it is full, and does not move them anywhere', async () => {
    const broker = await openRabbitBroker(vhost.url, PUBLISHER);
    const sent = Array.from({ length: 80 }, () => message({ queue: QUEUES.dlq, body: Buffer.alloc(MEGABYTE) }));
    for (let i = 0; i < sent.length; i += 10) {
      const outcomes = await broker.publish(sent.slice(i, i + 10), AMPLE_MS);
      expect(new Set(outcomes)).toEqual(new Set(['confirmed']));
    }
    const first = await raw.get(QUEUES.dlq);
    const { messageCount } = await raw.checkQueue(QUEUES.dlq);
    expect(messageCount).toBeLessThanOrEqual(64);
    expect(first && sent.findIndex(({ id }) => id === first.properties.messageId)).toBeGreaterThanOrEqual(15);
    expect((await raw.checkQueue(SAFETY)).messageCount).toBe(0);
  });

  it('is not there without a need: events.dlq is declared with DLQ_COPY only', async () => {
    await openRabbitBroker(vhost.url, { publishes: true, consumes: true });
    await expect((await openRawChannel(vhost.url)).checkQueue(QUEUES.dlq)).rejects.toThrow(/NOT_FOUND/);
    expect(await isBounded(SAFETY)).toBe(true);
  });

  it('is kept as the build before has declared it, while both builds work beside each other', async () => {
    await declareAsBefore(raw);
    const broker = await openRabbitBroker(vhost.url);
    const listener = new Listener(broker, { acks: true });
    expect(await broker.publish([message(), message({ queue: QUEUES.dlq })], AMPLE_MS)).toEqual([
      'confirmed',
      'confirmed',
    ]);
    await listener.receives(1);
    await declareAsBefore(await openRawChannel(vhost.url)); // an old process that starts again
    await expect(broker.ping()).resolves.toBeUndefined();
    expect([await isBounded(SAFETY), await isBounded(QUEUES.dlq)]).toEqual([false, false]);
  });

  it('gets its bound once an operator has deleted it, after the last old process has ended', async () => {
    await declareAsBefore(raw);
    const broker = await openRabbitBroker(vhost.url);
    await raw.deleteQueue(QUEUES.dlq);
    await raw.deleteQueue(SAFETY);
    await eventually(async () => {
      expect(await broker.publish([message({ queue: QUEUES.dlq })], AMPLE_MS)).toEqual(['confirmed']); // declared again
    });
    expect([await isBounded(SAFETY), await isBounded(QUEUES.dlq)]).toEqual([true, true]);
  });

  it('gets the messages that a worker parks', async () => {
    const broker = await openRabbitBroker(vhost.url);
    const listener = new Listener(broker);
    const sent = message();
    await broker.publish([sent], AMPLE_MS);
    listener.consumer.park(await listener.receives(1));
    await eventually(async () => expect((await raw.checkQueue(SAFETY)).messageCount).toBe(1));
    const parked = await raw.get(SAFETY);
    expect(parked && parked.properties.messageId).toBe(sent.id);
    await listener.receivesExactly([sent.id]);
  });
});
