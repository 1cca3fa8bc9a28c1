import { Logger } from '@nestjs/common';
import { QUEUES, type ReceivedMessage, type PublishOutcome, type QueueName } from '../../src/broker/broker';
import type { RabbitBroker } from '../../src/broker/rabbit-broker';
import { eventually } from '../support/eventually';
import { freePort } from '../support/processes/free-port';
import type { TestVhost } from '../support/broker/rabbit';
import { closeAll } from '../support/broker/closing';
import {
  AMPLE_MS,
  elapsedMs,
  idsOf,
  Listener,
  message,
  messages,
  publishAll,
  unconfirmed,
} from '../support/broker/listener';
import { openProxy } from '../support/broker/proxy';
import { openRabbitBroker, openVhost, PUBLISHER, startRabbitBroker } from '../support/broker/rabbit-queues';

Logger.overrideLogger(false);

describe('RabbitBroker', () => {
  let vhost: TestVhost;
  beforeEach(async () => (vhost = await openVhost()));
  afterEach(closeAll);

  /** Waits until the management plug-in lists the connections, then closes them. */
  const closeConnections = (atLeast: number): Promise<number> => {
    let closed = 0;
    return eventually(async () => {
      closed += await vhost.closeConnections();
      expect(closed).toBeGreaterThanOrEqual(atLeast);
      return closed;
    });
  };

  describe('a lost connection', () => {
    it('I9: ends open publishes at once as unconfirmed, and none as refused', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url);
      proxy.freeze();
      const pending = [broker.publish(messages(500), AMPLE_MS), broker.publish(messages(2), AMPLE_MS)];
      const lasted = await elapsedMs(async () => {
        await proxy.cut();
        expect(await Promise.all(pending)).toEqual([unconfirmed(500), unconfirmed(2)]);
      });
      expect(lasted).toBeLessThan(2_000);
      expect(broker.canPublish()).toBe(false);
      await expect(broker.ping()).rejects.toThrow();
      await expect(broker.waiting(QUEUES.main)).rejects.toThrow();
      expect(await broker.publish(messages(1), AMPLE_MS)).toEqual(unconfirmed(1));
      proxy.thaw();
      await proxy.restore();
      await eventually(() => broker.ping());
      await publishAll(broker, messages(1));
    });

    it('I9: loses no confirmed message when the server closes it under load', async () => {
      const broker = await openRabbitBroker(vhost.url, PUBLISHER);
      const confirmed: string[] = [];
      const seen = new Set<PublishOutcome>();
      let ended = false;
      const load = (async () => {
        while (!ended) {
          const batch = messages(200);
          const outcomes = await broker.publish(batch, AMPLE_MS);
          outcomes.forEach((outcome, i) => {
            seen.add(outcome);
            if (outcome === 'confirmed') confirmed.push((batch[i] as { id: string }).id);
          });
          await new Promise(setImmediate);
        }
      })();
      await closeConnections(1);
      await eventually(() => expect(seen).toContain('unconfirmed'));
      await eventually(() => expect(broker.canPublish()).toBe(true));
      ended = true;
      await load;
      expect([...seen].sort()).toEqual(['confirmed', 'unconfirmed']);
      const reader = await openRabbitBroker(vhost.url);
      const listener = new Listener(reader, { prefetch: 500, acks: true });
      await eventually(() => {
        const arrived = new Set(listener.ids);
        expect(confirmed.filter((id) => !arrived.has(id)).length).toBe(0);
      });
    });

    it('is restored with its consumers, which get the unacked messages again', async () => {
      const broker = await openRabbitBroker(vhost.url);
      const listeners = [new Listener(broker), new Listener(broker, { queue: QUEUES.retry })] as const;
      const sent = messages(3);
      await publishAll(broker, [...sent, message({ queue: QUEUES.retry })]);
      await Promise.all([listeners[0].receives(3), listeners[1].receives(1)]);
      listeners[0].consumer.ack(listeners[0].received.slice(0, 1));
      await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(0));
      await closeConnections(2);
      const again = (await listeners[0].receives(5)).slice(3);
      expect(idsOf(again)).toEqual(idsOf(sent.slice(1)));
      expect(again.every(({ redelivered }) => redelivered)).toBe(true);
      await listeners[1].receives(2);
      await eventually(() => broker.ping());
      const last = message();
      await publishAll(broker, [last]);
      await eventually(() => expect(listeners[0].ids).toContain(last.id));
    });

    it('keeps late acks of its messages from settling messages of the next connection', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url);
      const listener = new Listener(broker);
      const sent = messages(3);
      await publishAll(broker, sent);
      const old = await listener.receives(3);
      await proxy.cut();
      listener.consumer.ack(old.slice(0, 1));
      listener.consumer.requeue(old.slice(1, 2));
      await eventually(() => expect(broker.canPublish()).toBe(false));
      listener.consumer.ack(old);
      await proxy.restore();
      const again = (await listener.receives(6)).slice(3);
      const tags = [...old, ...again].map(({ tag }) => tag);
      expect(new Set(tags).size).toBe(tags.length); // RabbitMQ has given the same tags to other messages
      listener.consumer.ack(old);
      listener.consumer.requeue(old);
      listener.consumer.ack(again.slice(1));
      await listener.consumer.close();
      const other = new Listener(await openRabbitBroker(vhost.url));
      await other.receivesExactly(idsOf(sent.slice(0, 1)));
    });

    it('is restored even when it is lost again at any moment of reconnecting', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url);
      const listener = new Listener(broker, { acks: true });
      for (const afterMs of [0, 10, 20, 30, 45]) {
        await proxy.cut();
        await proxy.restore();
        await eventually(() => expect(proxy.connections).toBeGreaterThan(0));
        await new Promise((resolve) => setTimeout(resolve, afterMs)); // the moment of the next cut
      }
      await proxy.cut();
      await proxy.restore();
      await eventually(() => broker.ping());
      const sent = message();
      await publishAll(broker, [sent]);
      await listener.receivesExactly([sent.id]);
    });

    it('leaves a cancelled consumer cancelled after the reconnect', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url);
      const cancelled = new Listener(broker);
      await publishAll(broker, messages(1));
      await cancelled.receives(1);
      await proxy.cut();
      await cancelled.consumer.cancel();
      await proxy.restore();
      await eventually(() => broker.ping());
      const other = new Listener(broker);
      const [again] = (await other.receives(1)) as [ReceivedMessage];
      expect(again.redelivered).toBe(true);
      await publishAll(broker, messages(3));
      await other.receives(4);
      expect(cancelled.received).toHaveLength(1);
    });
  });

  describe('a broker that cannot be reached', () => {
    const expectUnusable = async (broker: RabbitBroker): Promise<void> => {
      expect(broker.canPublish()).toBe(false);
      await expect(broker.ping()).rejects.toThrow();
      expect(await broker.publish(messages(1), AMPLE_MS)).toEqual(unconfirmed(1));
      new Listener(broker);
    };

    it('may refuse connections: connect resolves, nothing is published, and close ends soon', async () => {
      const url = new URL(vhost.url);
      url.port = String(await freePort());
      const broker = await startRabbitBroker(url.href);
      await expectUnusable(broker);
      expect(await elapsedMs(() => broker.close())).toBeLessThan(3_000);
    });

    it('may accept connections and stay silent: connect resolves, nothing is published, close ends soon', async () => {
      const proxy = await openProxy(vhost.url);
      proxy.swallowNew(true);
      const broker = await startRabbitBroker(proxy.url);
      await expectUnusable(broker);
      expect(await elapsedMs(() => broker.close())).toBeLessThan(3_000);
    });

    it('gets connections and consumers as soon as it is up', async () => {
      const proxy = await openProxy(vhost.url);
      await proxy.cut();
      const broker = await startRabbitBroker(proxy.url);
      const listener = new Listener(broker);
      expect(broker.canPublish()).toBe(false);
      await proxy.restore();
      await eventually(() => broker.ping());
      const sent = message();
      await publishAll(broker, [sent]);
      await listener.receivesExactly([sent.id]);
    });

    it('is tried again after it accepted a connection and stayed silent', async () => {
      const proxy = await openProxy(vhost.url);
      proxy.swallowNew(true);
      const broker = await startRabbitBroker(proxy.url);
      expect(broker.canPublish()).toBe(false);
      await eventually(() => expect(proxy.connections).toBe(2)); // which will stay silent for ever
      proxy.swallowNew(false);
      await eventually(() => broker.ping(), 15_000);
    });
  });

  describe('a frozen broker', () => {
    it('leaves publishes unconfirmed at their deadline, and late confirms change nothing', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url);
      proxy.freeze();
      let outcomes: PublishOutcome[] = [];
      const lasted = await elapsedMs(async () => (outcomes = await broker.publish(messages(3), 300)));
      expect(lasted).toBeGreaterThan(250);
      expect(lasted).toBeLessThan(2_000);
      expect(outcomes).toEqual(unconfirmed(3));
      proxy.thaw();
      await publishAll(broker, messages(1)); // its confirm comes after those of the three
      expect(outcomes).toEqual(unconfirmed(3));
      await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(4));
    });

    it('cannot delay cancel and close for longer than their deadlines', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url);
      const listener = new Listener(broker);
      await publishAll(broker, messages(1));
      const inHand = await listener.receives(1);
      proxy.freeze();
      const pending = broker.publish(messages(1), AMPLE_MS);
      expect(await elapsedMs(() => listener.consumer.cancel())).toBeLessThan(2_000);
      listener.consumer.requeue(inHand);
      expect(await elapsedMs(() => broker.close())).toBeLessThan(3_000);
      expect(await pending).toEqual(unconfirmed(1));
      proxy.thaw();
      await eventually(() => expect(proxy.connections).toBe(0));
      const otherProxy = await openProxy(vhost.url);
      const other = await openRabbitBroker(otherProxy.url, PUBLISHER);
      await otherProxy.cut();
      await otherProxy.restore();
      await eventually(() => other.ping());
      expect(proxy.connections).toBe(0); // the closed broker would have reconnected by now, as the other did
    });
  });

  describe('a broker that blocks publishing', () => {
    it('gets no messages until it unblocks, even when the channel breaks meanwhile', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url, PUBLISHER);
      proxy.inject(connectionMethod(60, Buffer.from('\x06memory')));
      await eventually(() => expect(broker.canPublish()).toBe(false));
      await expect(broker.ping()).rejects.toThrow();
      await expect(broker.waiting('no such queue' as QueueName)).rejects.toThrow();
      await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(0)); // the channel is open again
      expect(broker.canPublish()).toBe(false);
      proxy.inject(connectionMethod(61));
      await eventually(() => expect(broker.canPublish()).toBe(true));
    });

    it('counts as unblocked after a reconnect', async () => {
      const proxy = await openProxy(vhost.url);
      const broker = await openRabbitBroker(proxy.url, PUBLISHER);
      proxy.inject(connectionMethod(60, Buffer.from('\x06memory')));
      await eventually(() => expect(broker.canPublish()).toBe(false));
      await proxy.cut();
      await proxy.restore();
      await eventually(() => expect(broker.canPublish()).toBe(true));
      await publishAll(broker, messages(1));
    });
  });
});

/** Builds an AMQP frame with a method of class `connection` (10): 60 is blocked, 61 unblocked. */
function connectionMethod(method: number, args = Buffer.alloc(0)): Buffer {
  const frame = Buffer.alloc(12 + args.length);
  frame.writeUInt8(1, 0); // a method, on channel 0
  frame.writeUInt32BE(4 + args.length, 3);
  frame.writeUInt16BE(10, 7);
  frame.writeUInt16BE(method, 9);
  args.copy(frame, 11);
  frame.writeUInt8(0xce, frame.length - 1);
  return frame;
}
