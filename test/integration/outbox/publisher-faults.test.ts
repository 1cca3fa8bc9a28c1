import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { QUEUES, type PublishOutcome } from '../../../src/broker/broker';
import { RabbitBroker } from '../../../src/broker/rabbit-broker';
import { listFailedEntries, requeueFailed } from '../../../src/event-state/failed-entries.queries';
import { readOutboxFigures } from '../../../src/event-state/figures.queries';
import { OutboxGauges } from '../../../src/outbox/outbox-gauges';
import type { Publisher } from '../../../src/outbox/publisher';
import { readPosition } from '../../../src/outbox/reconciler.queries';
import { TcpProxy } from '../../support/broker/tcp-proxy';
import { eventually } from '../../support/eventually';
import { LONG_SECONDS, useOutbox } from '../../support/fixtures/outbox';
import { createTestVhost, type TestVhost } from '../../support/broker/rabbit';
import { givenEntry, givenEvent, givenEvents, letPass, outboxRows, setEntries, stateRow } from '../../support/rows';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

/** golevelup opens channel 1 of every connection; ours is the next. */
const PUBLISHER_CHANNEL = 2;

const outbox = useOutbox();
const { publisherTo, reconcilerOf } = outbox;

const statusCounts = async (): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { status } of await outboxRows(outbox.pool)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

describe('a poison entry', () => {
  /** Breaks the channel whenever it is published with others, and is found out when it is alone. */
  const poisoned = (poison: readonly string[]): ScriptedBroker => {
    const broker = new ScriptedBroker();
    broker.publish = (messages) => {
      broker.received.push(...messages);
      const at = messages.findIndex(({ id }) => poison.includes(id));
      const outcome = (i: number): PublishOutcome => {
        if (at === -1 || i < at / 2) return 'confirmed';
        return messages.length === 1 ? { rejected: 'too large' } : 'channel-broken';
      };
      return Promise.resolve(messages.map((_, i) => outcome(i)));
    };
    return broker;
  };

  it('I10: is isolated within a few claims at any position, and all its neighbours are published', async () => {
    const events = await givenEvents(outbox.pool, 200);
    const poison = [0, 77, 78, 199].map((i) => (events[i] as { id: string }).id);
    const publisher = publisherTo(poisoned(poison), { OUTBOX_BATCH_SIZE: '100' });
    let claims = 0;
    while ((await readOutboxFigures(outbox.pool)).pending > 0) {
      await publisher.runOnce();
      claims += 1;
    }
    expect(await statusCounts()).toEqual({ PUBLISHED: 196, FAILED: 4 });
    expect(claims).toBeLessThan(60);
    const failed = await listFailedEntries(outbox.pool, 10);
    expect(failed.map(({ eventId, lastError }) => [eventId, lastError])).toEqual(
      poison.map((id) => [id, 'too large']).reverse(),
    );
    await expect(listFailedEntries(outbox.pool, 1)).resolves.toEqual([failed[0]]);
  });
});

describe('an entry of one of several tenants that the broker refuses', () => {
  it('I10: is isolated although another tenant always has entries', async () => {
    const broker = new ScriptedBroker();
    const [poison] = await givenEvents(outbox.pool, 3, {}, 'b');
    await givenEvents(outbox.pool, 3, {}, 'c');
    broker.publish = (messages) => {
      const isThere = messages.some(({ id }) => id === poison?.id);
      const outcome = !isThere ? 'confirmed' : messages.length === 1 ? { rejected: 'too large' } : 'channel-broken';
      return Promise.resolve(messages.map((): PublishOutcome => outcome));
    };
    const publisher = publisherTo(broker);
    let claims = 0;
    for (; claims < 20 && (await listFailedEntries(outbox.pool, 1)).length === 0; claims++) {
      await givenEvents(outbox.pool, 2, {}, 'a');
      await publisher.runOnce();
    }
    expect(claims).toBeLessThan(6);
  });
});

describe('FAILED entries', () => {
  const idsOf = (entries: readonly { id: string }[]): string[] => entries.map(({ id }) => id);

  it('are published after an operator requeues them by id or oldest first', async () => {
    const events = await givenEvents(outbox.pool, 4);
    await setEntries(outbox.pool, events, 'FAILED');
    const ids = (await outboxRows(outbox.pool)).map(({ id }) => id);
    expect(idsOf(await requeueFailed(outbox.pool, { ids: ids.slice(2, 3), limit: 100 }))).toEqual(ids.slice(2, 3));
    expect(idsOf(await requeueFailed(outbox.pool, { limit: 2 }))).toEqual(ids.slice(0, 2));
    await expect(requeueFailed(outbox.pool, { ids: ['999999'], limit: 2 })).resolves.toEqual([]);
    await publisherTo(new ScriptedBroker()).runOnce();
    expect(await statusCounts()).toEqual({ PUBLISHED: 3, FAILED: 1 });
  });

  it('I13: are dispatched again when the broker loses them after a requeue, although the reconciler had passed them', async () => {
    const { pool } = outbox;
    const [failed, other] = await givenEvents(pool, 2);
    if (!failed || !other) throw new Error('two events were asked for');
    await setEntries(pool, [failed], 'FAILED');
    await setEntries(pool, [other], 'PUBLISHED');
    await letPass(pool, LONG_SECONDS);
    const broker = new ScriptedBroker();
    const reconciler = reconcilerOf(broker);
    await reconciler.runOnce();
    await expect(stateRow(pool, other)).resolves.toMatchObject({ dispatchNo: 2 });
    await expect(readPosition(pool)).resolves.not.toBe('0');
    await requeueFailed(pool, { limit: 10 });
    await publisherTo(broker).runOnce();
    await letPass(pool, LONG_SECONDS);
    await reconciler.runOnce();
    await expect(stateRow(pool, failed)).resolves.toMatchObject({ status: 'DISPATCHED', dispatchNo: 2 });
  });

  it('are counted separately from open entries', async () => {
    const { pool } = outbox;
    await setEntries(pool, await givenEvents(pool, 3), 'FAILED');
    await setEntries(pool, await givenEvents(pool, 5), 'PUBLISHED');
    await setEntries(pool, await givenEvents(pool, 2), 'IN_FLIGHT');
    await letPass(pool, 100);
    await givenEvents(pool, 4);
    await expect(readOutboxFigures(pool)).resolves.toEqual({
      pending: 4,
      inFlight: 2,
      failed: 3,
      oldestOpenSeconds: expect.closeTo(100, -1) as number,
    });
    await new OutboxGauges(pool, outbox.metrics).runOnce();
    const text = await outbox.metrics.registry.metrics();
    expect(text).toMatch(/^streamforge_outbox_backlog 6$/m);
    expect(text).toMatch(/^streamforge_outbox_failed 3$/m);
    expect(text).toMatch(/^streamforge_outbox_oldest_pending_seconds 1\d\d(\.\d+)?$/m);
  });
});

describe('the publisher on RabbitMQ', () => {
  let vhost: TestVhost;
  let proxy: TcpProxy;
  let broker: RabbitBroker;
  let observer: ChannelModel;
  let channel: Channel;
  beforeEach(async () => {
    vhost = await createTestVhost();
    proxy = await TcpProxy.to(vhost.url);
    broker = await RabbitBroker.connect(proxy.url, { publishes: true, consumes: false, deadLetterCopies: true });
    observer = await connect(vhost.url);
    channel = await observer.createChannel();
    await eventually(() => expect(broker.canPublish()).toBe(true));
  });
  afterEach(async () => {
    await broker.close();
    await observer.close();
    await proxy.cut();
    await vhost.drop();
  });

  const allPublished = (publisher: Publisher): Promise<void> =>
    eventually(async () => {
      await publisher.runOnce();
      expect(Object.keys(await statusCounts())).toEqual(['PUBLISHED']);
    });

  it('releases unconfirmed entries long before their lease ends when the broker acks out of order and closes the channel', async () => {
    const publisher = publisherTo(broker);
    await publisher.runOnce(); // asks for the length of the queue, which it does not hear while answers are held
    await givenEvents(outbox.pool, 10);
    proxy.hold('answers');
    const startedMs = Date.now();
    const running = publisher.runOnce();
    await eventually(async () => expect((await channel.checkQueue(QUEUES.main)).messageCount).toBe(10));
    proxy.inject(basicAck(7));
    proxy.inject(basicAck(3));
    proxy.inject(channelClose(541, 'INTERNAL_ERROR'));
    await running;
    expect(Date.now() - startedMs).toBeLessThan(10_000);
    expect(await statusCounts()).toEqual({ PENDING: 8, PUBLISHED: 2 });
    for (const row of await outboxRows(outbox.pool)) expect(row).toMatchObject({ attempts: 0 });
    await proxy.cut();
    proxy.release();
    await proxy.restore();
    await allPublished(publisher);
  });

  it('releases unconfirmed entries at the publish deadline when the broker acks some out of order and goes silent', async () => {
    const publisher = publisherTo(broker, { PUBLISH_TIMEOUT_MS: '500' });
    await publisher.runOnce(); // as above
    await givenEvents(outbox.pool, 10);
    proxy.hold('answers');
    const running = publisher.runOnce();
    await eventually(async () => expect((await channel.checkQueue(QUEUES.main)).messageCount).toBe(10));
    proxy.inject(basicAck(9));
    await running;
    expect(await statusCounts()).toEqual({ PENDING: 9, PUBLISHED: 1 });
    proxy.release();
    await allPublished(publisher);
  });

  it('marks an unroutable entry FAILED without delaying its neighbours, and publishes it after a requeue', async () => {
    const { pool } = outbox;
    const event = await givenEvent(pool);
    await setEntries(pool, [event], 'PUBLISHED');
    const lost = await givenEntry(pool, event, { destination: 'dlq' });
    await givenEvents(pool, 20);
    const publisher = publisherTo(broker);
    const publishWithoutQueue = async () => {
      await channel.deleteQueue(QUEUES.dlq);
      await publisher.runOnce();
    };
    await publishWithoutQueue();
    expect(await statusCounts()).toEqual({ PUBLISHED: 21, PENDING: 1 });
    await eventually(async () => {
      await sleep(250); // rarely between the declaration of a queue and its binding, which would break the channel
      await publishWithoutQueue();
      expect(await statusCounts()).toEqual({ PUBLISHED: 21, FAILED: 1 });
    }, 40_000);
    const [failed] = await listFailedEntries(pool, 10);
    expect(failed).toMatchObject({ id: lost, lastError: expect.stringContaining('unroutable') as string });
    await eventually(async () => {
      await requeueFailed(pool, { limit: 10 });
      await allPublished(publisher);
    });
  });
});

/** Of the publisher's channel. Not `multiple`: this message alone. */
function basicAck(tag: number): Buffer {
  const args = Buffer.alloc(9);
  args.writeBigUInt64BE(BigInt(tag), 0);
  return methodFrame(60, 80, args);
}

function channelClose(code: number, text: string): Buffer {
  const args = Buffer.alloc(2 + 1 + text.length + 4);
  args.writeUInt16BE(code, 0);
  args.writeUInt8(text.length, 2);
  args.write(text, 3, 'ascii');
  return methodFrame(20, 40, args);
}

function methodFrame(classId: number, methodId: number, args: Buffer): Buffer {
  const frame = Buffer.alloc(12 + args.length);
  frame.writeUInt8(1, 0);
  frame.writeUInt16BE(PUBLISHER_CHANNEL, 1);
  frame.writeUInt32BE(4 + args.length, 3);
  frame.writeUInt16BE(classId, 7);
  frame.writeUInt16BE(methodId, 9);
  args.copy(frame, 11);
  frame.writeUInt8(0xce, frame.length - 1);
  return frame;
}
