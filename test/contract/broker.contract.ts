import { QUEUES, type Broker, type ReceivedMessage } from '../../src/broker/broker';
import { eventually } from '../support/eventually';
import { atTheEnd, closeAll } from '../support/broker/closing';
import { AMPLE_MS, expectSame, idsOf, Listener, message, messages, publishAll } from '../support/broker/listener';

/** What publisher and worker rely on with either adapter. `setup` returns an empty broker that is ready. */
export function describeBroker(name: string, setup: () => Promise<Broker>): void {
  describe(name, () => {
    let broker: Broker;

    beforeEach(async () => {
      broker = await setup();
      atTheEnd(() => broker.close());
    });
    afterEach(closeAll);

    describe('publishing', () => {
      it('confirms a message and delivers it with id, headers and body', async () => {
        const listener = new Listener(broker);
        const headers = { 'tenant-id': 'acme ü', 'dispatch-no': 3, big: 1_760_000_000_000, negative: -7, share: 0.25 };
        const sent = message({ headers, body: Buffer.from('{"amount":"10 €"}') });
        expect(await broker.publish([sent], AMPLE_MS)).toEqual(['confirmed']);
        const [received] = (await listener.receives(1)) as [ReceivedMessage];
        expect(received.redelivered).toBe(false);
        expect(received.id).toBe(sent.id);
        expect(received.headers).toEqual(headers);
        expect(received.body.equals(sent.body)).toBe(true);
      });

      it('keeps messages for a consumer that comes later, and delivers them in order', async () => {
        const sent = messages(50);
        await publishAll(broker, sent);
        const listener = new Listener(broker);
        await listener.receives(50);
        expect(listener.ids).toEqual(idsOf(sent));
      });

      it('returns one outcome per message, and an empty list for no messages', async () => {
        expect(await broker.publish([], AMPLE_MS)).toEqual([]);
        expect(await broker.publish(messages(3), AMPLE_MS)).toEqual(['confirmed', 'confirmed', 'confirmed']);
      });

      it('delivers each message only from its own queue', async () => {
        const main = new Listener(broker);
        const retry = new Listener(broker, { queue: QUEUES.retry });
        const [first, second] = [message({ queue: QUEUES.retry }), message()];
        await publishAll(broker, [first, second, message({ queue: QUEUES.dlq })]);
        await main.receivesExactly([second.id]);
        await retry.receivesExactly([first.id]);
      });

      it('delivers a body of 200 KB and an empty one', async () => {
        const listener = new Listener(broker);
        const large = Buffer.alloc(200_000, 'äöü');
        await publishAll(broker, [message({ body: large }), message({ body: Buffer.alloc(0) })]);
        const [first, second] = (await listener.receives(2)) as [ReceivedMessage, ReceivedMessage];
        expect(first.body.equals(large)).toBe(true);
        expect(second.body).toHaveLength(0);
      });

      it('takes several thousand messages in one call, and several calls at the same time', async () => {
        const batches = [messages(3_000), messages(1_000), messages(1_000)];
        const listener = new Listener(broker, { prefetch: 500, acks: true });
        await Promise.all(batches.map((batch) => publishAll(broker, batch)));
        await listener.receivesExactly(idsOf(batches.flat()));
        await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(0));
      });

      it('returns unconfirmed after close, at once and without throwing', async () => {
        await broker.close();
        expect(broker.canPublish()).toBe(false);
        const startedAt = Date.now();
        expect(await broker.publish(messages(2), AMPLE_MS)).toEqual(['unconfirmed', 'unconfirmed']);
        expect(Date.now() - startedAt).toBeLessThan(1_000);
      });
    });

    describe('prefetch', () => {
      it('is never exceeded, and an ack makes room for exactly one more', async () => {
        let inHand = 0;
        let most = 0;
        const listener = new Listener(broker, { prefetch: 3 }, () => (most = Math.max(most, ++inHand)));
        await publishAll(broker, messages(20));
        for (let settled = 0; settled < 20; settled++) {
          await listener.receives(Math.min(settled + 3, 20));
          inHand -= 1;
          listener.consumer.ack([listener.received[settled] as ReceivedMessage]);
        }
        expect(most).toBe(3);
        expect(new Set(listener.ids).size).toBe(20);
      });

      it('applies to each consumer, and unsettled messages do not count as waiting', async () => {
        await publishAll(broker, messages(10));
        const listeners = [new Listener(broker, { prefetch: 2 }), new Listener(broker, { prefetch: 3 })];
        await Promise.all(listeners.map((listener, i) => listener.receives(2 + i)));
        await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(5));
        expect(listeners.map(({ received }) => received.length)).toEqual([2, 3]);
      });
    });

    describe('settling', () => {
      it('redelivers requeued messages and marks them', async () => {
        const listener = new Listener(broker);
        const sent = messages(3);
        await publishAll(broker, sent);
        const [first, second, third] = (await listener.receives(3)) as [
          ReceivedMessage,
          ReceivedMessage,
          ReceivedMessage,
        ];
        listener.consumer.requeue([first, third]);
        listener.consumer.ack([second]);
        const again = (await listener.receives(5)).slice(3);
        expect(again.map(({ redelivered }) => redelivered)).toEqual([true, true]);
        expect(idsOf(again).sort()).toEqual([first.id, third.id].sort());
        const [copy] = again as [ReceivedMessage];
        expect(copy.body.equals((sent[0] as { body: Buffer }).body)).toBe(true);
      });

      it('redelivers the unacked messages of a closed consumer and marks them', async () => {
        const first = new Listener(broker);
        const sent = messages(4);
        await publishAll(broker, sent);
        first.consumer.ack((await first.receives(4)).slice(0, 2));
        await first.consumer.close();
        const second = new Listener(broker);
        await second.receives(2);
        expect(second.ids).toEqual(idsOf(sent.slice(2)));
        expect(second.received.every(({ redelivered }) => redelivered)).toBe(true);
      });

      it('acks several messages at once, out of order and with gaps', async () => {
        const first = new Listener(broker);
        const sent = messages(9);
        await publishAll(broker, sent);
        const inHand = await first.receives(9);
        const at = (...positions: number[]) => positions.map((position) => inHand[position - 1] as ReceivedMessage);
        first.consumer.ack(at(5, 2));
        first.consumer.ack(at(1));
        first.consumer.ack(at(8, 4, 7));
        await first.consumer.close();
        const second = new Listener(broker);
        await second.receives(3);
        const last = message();
        await publishAll(broker, [last]);
        await second.receivesExactly([...idsOf(sent).filter((_, i) => i % 3 === 2), last.id]);
      });

      it('never redelivers an acked message, even when it is acked or requeued again', async () => {
        const first = new Listener(broker);
        await publishAll(broker, messages(5));
        const inHand = await first.receives(5);
        first.consumer.ack(inHand);
        first.consumer.ack(inHand);
        first.consumer.requeue(inHand);
        await first.consumer.close();
        first.consumer.ack(inHand);
        const last = message();
        await publishAll(broker, [last]);
        const second = new Listener(broker);
        await second.receivesExactly([last.id]);
        expect(first.received).toHaveLength(5);
      });

      it('accepts acks inside the callback, also for messages that waited before the consumer started', async () => {
        await publishAll(broker, messages(5));
        const listener = new Listener(broker, { prefetch: 1, acks: true });
        await listener.receives(5);
        await listener.consumer.close();
        await eventually(async () => expect(await broker.waiting(QUEUES.main)).toBe(0));
      });
    });

    describe('cancelling', () => {
      it('stops messages; those in hand can still be acked', async () => {
        const cancelled = new Listener(broker);
        const sent = messages(2);
        await publishAll(broker, sent);
        const [acked, left] = (await cancelled.receives(2)) as [ReceivedMessage, ReceivedMessage];
        await cancelled.consumer.cancel();
        const later = message();
        await publishAll(broker, [later]);
        const other = new Listener(broker);
        await other.receivesExactly([later.id]);
        cancelled.consumer.ack([acked]);
        await cancelled.consumer.close();
        await other.receivesExactly([later.id, left.id]);
        const last = message();
        await publishAll(broker, [last]);
        await other.receivesExactly([later.id, left.id, last.id]);
        expect(cancelled.received).toHaveLength(2);
      });

      it('lets unsettled messages be requeued for another consumer', async () => {
        const cancelled = new Listener(broker);
        const sent = message();
        await publishAll(broker, [sent]);
        const inHand = await cancelled.receives(1);
        await cancelled.consumer.cancel();
        cancelled.consumer.requeue(inHand);
        const other = new Listener(broker);
        await other.receivesExactly([sent.id]);
        expect(other.received[0]?.redelivered).toBe(true);
        expect(cancelled.received).toHaveLength(1);
      });

      it('works right after consume, twice, and before close', async () => {
        await publishAll(broker, messages(30));
        const cancelled = new Listener(broker, { prefetch: 5 });
        await cancelled.consumer.cancel();
        const soFar = cancelled.received.length;
        await cancelled.consumer.cancel();
        await cancelled.consumer.close();
        await cancelled.consumer.close();
        const other = new Listener(broker, { acks: true });
        await eventually(() => expect(new Set(other.ids).size).toBe(30));
        expect(cancelled.received).toHaveLength(soFar);
      });
    });

    it('shares a queue between two consumers without duplicates', async () => {
      const listeners = [1, 2].map(() => new Listener(broker, { prefetch: 10, acks: true }));
      const sent = messages(600);
      await publishAll(broker, sent.slice(0, 300));
      await publishAll(broker, sent.slice(300));
      const all = () => listeners.flatMap(({ ids }) => ids);
      await eventually(() => expectSame(all(), idsOf(sent)));
      for (const { received } of listeners) expect(received.length).toBeGreaterThan(0);
    });

    it('counts the messages that wait in each queue', async () => {
      const waiting = async () => [await broker.waiting(QUEUES.main), await broker.waiting(QUEUES.retry)];
      expect(await waiting()).toEqual([0, 0]);
      await publishAll(broker, messages(5));
      await eventually(async () => expect(await waiting()).toEqual([5, 0]));
      const listener = new Listener(broker, { prefetch: 2 });
      await listener.receives(2);
      await eventually(async () => expect(await waiting()).toEqual([3, 0]));
      await listener.consumer.close();
      await eventually(async () => expect(await waiting()).toEqual([5, 0]));
    });

    it('answers a ping until it is closed, even when its consumers are closed or cancelled', async () => {
      const listeners = [new Listener(broker), new Listener(broker)];
      await eventually(() => broker.ping());
      await listeners[0]?.consumer.close();
      await listeners[1]?.consumer.cancel();
      await broker.ping();
      expect(broker.canPublish()).toBe(true);
      await broker.close();
      await expect(broker.ping()).rejects.toThrow();
      await expect(broker.waiting(QUEUES.main)).rejects.toThrow();
    });

    it('reports no message as refused because of a close', async () => {
      const pending = [broker.publish(messages(1_000), AMPLE_MS), broker.publish(messages(10), AMPLE_MS)];
      await broker.close();
      const outcomes = (await Promise.all(pending)).flat();
      expect(outcomes).toHaveLength(1_010);
      expect(outcomes).not.toContain('refused');
    });

    it('can be closed twice, with messages in hand', async () => {
      const listener = new Listener(broker);
      await publishAll(broker, messages(2));
      const inHand = await listener.receives(2);
      await broker.close();
      await broker.close();
      listener.consumer.ack(inHand);
      listener.consumer.requeue(inHand);
      await listener.consumer.cancel();
    });
  });
}
