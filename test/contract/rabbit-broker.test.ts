import { Logger } from '@nestjs/common';
import type { Channel } from 'amqplib';
import { QUEUES, type QueueName } from '../../src/broker/broker';
import { eventually } from '../support/eventually';
import type { TestVhost } from '../support/broker/rabbit';
import { closeAll } from '../support/broker/closing';
import { AMPLE_MS, idsOf, Listener, message, messages, publishAll, unconfirmed } from '../support/broker/listener';
import {
  openRabbitBroker,
  openRawChannel,
  openVhost,
  PUBLISHER,
  startRabbitBroker,
} from '../support/broker/rabbit-queues';

Logger.overrideLogger(false);

const CANNOT_BE_ENCODED = { rejected: expect.stringContaining('cannot be encoded') as string };

describe('RabbitBroker', () => {
  let vhost: TestVhost;
  beforeEach(async () => (vhost = await openVhost()));
  afterEach(async () => {
    await closeAll();
    jest.restoreAllMocks();
  });

  describe('a message without a queue', () => {
    it('I3: is reported as unroutable, while the other messages of the call are confirmed', async () => {
      const broker = await openRabbitBroker(vhost.url, PUBLISHER);
      await (await openRawChannel(vhost.url)).deleteQueue(QUEUES.retry);
      const queues: QueueName[] = [QUEUES.main, QUEUES.retry, QUEUES.dlq, QUEUES.retry, QUEUES.main];
      const outcomes = await broker.publish(
        queues.map((queue) => message({ queue })),
        AMPLE_MS,
      );
      expect(outcomes).toEqual(['confirmed', 'unroutable', 'confirmed', 'unroutable', 'confirmed']);
    });

    it('I3: is reported as unroutable each time when several messages have the same id', async () => {
      const broker = await openRabbitBroker(vhost.url, PUBLISHER);
      await (await openRawChannel(vhost.url)).deleteQueue(QUEUES.main);
      const one = message();
      const twenty = Array.from({ length: 20 }, () => one);
      expect(await broker.publish(twenty, AMPLE_MS)).toEqual(twenty.map(() => 'unroutable'));
    });

    it('reaches its queue when it is published again, because the broker has declared the queue again', async () => {
      const broker = await openRabbitBroker(vhost.url, PUBLISHER);
      await (await openRawChannel(vhost.url)).deleteQueue(QUEUES.dlq);
      const sent = message({ queue: QUEUES.dlq });
      expect(await broker.publish([sent], AMPLE_MS)).toEqual(['unroutable']);
      await eventually(async () => expect(await broker.publish([sent], AMPLE_MS)).toEqual(['confirmed']));
    });
  });

  it('connects with a user and a password of any characters', async () => {
    const broker = await openRabbitBroker(await vhost.addUser(`Zoë-${vhost.name}`, 'ü@:/#%🙂'), PUBLISHER);
    expect(await broker.publish([message()], AMPLE_MS)).toEqual(['confirmed']);
  });

  it('rejects a message that cannot be encoded, and takes the other messages at the next try', async () => {
    const broker = await openRabbitBroker(vhost.url, PUBLISHER);
    const [before, after] = [messages(2), messages(3)];
    const poison = message({ id: 'x'.repeat(300) });
    const outcomes = await broker.publish([...before, poison, ...after], AMPLE_MS);
    expect(outcomes).toEqual([...unconfirmed(2), CANNOT_BE_ENCODED, ...unconfirmed(3)]);
    await eventually(() => expect(broker.canPublish()).toBe(true));
    await publishAll(broker, [...before, ...after]);
  });

  describe('a channel that the server closes while the connection stays', () => {
    it('is opened again for publishing, after open publishes have ended as unconfirmed', async () => {
      const broker = await openRabbitBroker(vhost.url);
      const listener = new Listener(broker, { acks: true });
      await publishAll(broker, messages(1));
      await listener.receives(1);
      const broken = expect(broker.waiting('no such queue' as QueueName)).rejects.toThrow(/NOT_FOUND/);
      // The server ignores everything after the command that breaks the channel.
      expect(await broker.publish(messages(2), AMPLE_MS)).toEqual(unconfirmed(2));
      await broken;
      expect(broker.canPublish()).toBe(false);
      await eventually(() => expect(broker.canPublish()).toBe(true));
      await publishAll(broker, messages(1));
      await listener.receives(2);
      expect(listener.received.map(({ tag }) => tag)).toEqual([1, 2]); // the consumer kept its channel
    });

    it('is opened again for consuming, and unacked messages arrive again', async () => {
      const broker = await openRabbitBroker(vhost.url);
      const listener = new Listener(broker);
      const sent = messages(2);
      await publishAll(broker, sent);
      const inHand = await listener.receives(2);
      breakChannelOf(listener);
      const again = (await listener.receives(4)).slice(2);
      expect(idsOf(again)).toEqual(idsOf(sent));
      expect(again.every(({ redelivered }) => redelivered)).toBe(true);
      listener.consumer.ack(inHand);
      await eventually(() => broker.ping());
      const last = message();
      await publishAll(broker, [last]);
      await eventually(() => expect(listener.ids.slice(4)).toEqual([last.id]));
    });

    it('is opened again after the queue of a consumer was deleted', async () => {
      const broker = await openRabbitBroker(vhost.url);
      const listener = new Listener(broker);
      await publishAll(broker, messages(1));
      await listener.receives(1);
      await (await openRawChannel(vhost.url)).deleteQueue(QUEUES.main);
      const last = message();
      await eventually(async () => expect(await broker.publish([last], AMPLE_MS)).toEqual(['confirmed']));
      await eventually(() => expect(listener.ids).toContain(last.id));
      await eventually(() => broker.ping());
    });

    it('is opened again after a deleted queue was counted, and counts the queue that is declared again', async () => {
      const broker = await openRabbitBroker(vhost.url, PUBLISHER);
      await (await openRawChannel(vhost.url)).deleteQueue(QUEUES.retry);
      await expect(broker.waiting(QUEUES.retry)).rejects.toThrow();
      await eventually(async () => expect(await broker.waiting(QUEUES.retry)).toBe(0));
    });
  });

  describe('topology', () => {
    it('is declared by each process and keeps the messages in existing queues', async () => {
      const first = await openRabbitBroker(vhost.url);
      await publishAll(first, messages(2));
      const second = await openRabbitBroker(vhost.url);
      await publishAll(second, messages(1));
      const listener = new Listener(second);
      await listener.receives(3);
      expect(listener.received.every(({ redelivered }) => !redelivered)).toBe(true);
    });

    it('is never replaced: a queue with other arguments is kept, and the error says what to do', async () => {
      const raw = await openRawChannel(vhost.url);
      await raw.assertQueue(QUEUES.main, { durable: true });
      raw.sendToQueue(QUEUES.main, Buffer.from('somebody else’s'), { messageId: 'theirs' });
      const error = jest.spyOn(Logger.prototype, 'error');
      const broker = await startRabbitBroker(vhost.url);
      await eventually(() => expect(broker.ping()).rejects.toThrow(/events\.main.*delete it by hand/));
      expect(error.mock.calls.filter(([text]) => /inequivalent arg.*delete it by hand/.test(String(text)))).not.toEqual(
        [],
      );
      expect(broker.canPublish()).toBe(false);
      expect(await broker.publish(messages(1), AMPLE_MS)).toEqual(unconfirmed(1));
      expect((await raw.checkQueue(QUEUES.main)).messageCount).toBe(1);
      await raw.deleteQueue(QUEUES.main);
      await eventually(() => expect(broker.canPublish()).toBe(true));
    });
  });
});

/** Acks a tag that does not exist, without the adapter. The server then closes the channel. */
function breakChannelOf({ consumer }: Listener): void {
  const { source } = consumer as unknown as { source: Channel };
  source.ack({ fields: { deliveryTag: 4_711 } } as Parameters<Channel['ack']>[0]);
}
