import type { Channel } from 'amqplib';
import type { OutgoingMessage } from '../../../src/broker/broker';
import { bundleBody } from '../../../src/broker/bundle-form';
import { signedHeadersOfBundle } from '../../../src/broker/message-signature';
import { RabbitBroker } from '../../../src/broker/rabbit-broker';
import { underOneName } from '../../../src/broker/rabbit-headers';
import { BUNDLES } from '../../../src/broker/rabbit-names';
import type { Event } from '../../../src/event/event';
import type { Handler } from '../../../src/worker/handler';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { AMPLE_MS, Listener } from '../../support/broker/listener';
import { openRawChannel, openVhost } from '../../support/broker/rabbit-queues';
import { eventually } from '../../support/eventually';
import { DONE, external, transactional } from '../../support/handlers';
import { macKeys } from '../../support/mac-keys';
import { attemptRows, countRows, givenEvents } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { startWorker, takePending, type TestWorker } from '../../support/worker';

const KEYS = macKeys('ours');
const SUCCEEDED = `processing_attempts where status = 'SUCCESS'`;

describe('a worker that gets events in bundles', () => {
  const database = new WorkerDatabase();
  let broker: RabbitBroker;
  let raw: Channel;
  beforeEach(async () => {
    const vhost = await openVhost();
    broker = await RabbitBroker.connect(vhost.url, { publishes: true, consumes: true, bundleMaxEvents: 50 }, KEYS);
    atTheEnd(() => broker.close());
    await eventually(() => expect(broker.canPublish()).toBe(true));
    raw = await openRawChannel(vhost.url);
  });
  afterEach(async () => {
    await closeAll();
    await database.pool.query('drop function if exists fails() cascade');
  });

  const start = (...handlers: Handler[]): TestWorker => {
    const worker = startWorker(database.pool, broker, [new UsageMeter(), ...handlers]);
    atTheEnd(() => worker.stop());
    return worker;
  };
  const waiting = async (queue: string): Promise<number> => (await raw.checkQueue(queue)).messageCount;
  const settled = async (successes: number): Promise<void> => {
    await eventually(async () => expect(await countRows(database.pool, SUCCEEDED)).toBe(successes), 20_000);
  };
  const usage = async (): Promise<number> =>
    (await database.pool.query<{ n: number }>('select coalesce(sum(events), 0)::int as n from usage_daily')).rows[0]
      ?.n ?? 0;
  /** As the publisher does while a worker takes bundles. */
  const sendBundle = (messages: readonly OutgoingMessage[], change: { body?: Buffer; unsigned?: true } = {}): void => {
    const id = messages[0]?.id ?? '';
    const body = bundleBody(messages);
    const mac = change.unsigned ? undefined : KEYS.current();
    const headers = underOneName(signedHeadersOfBundle({ queue: BUNDLES, id, body }, messages.length, mac));
    raw.publish('events', BUNDLES, change.body ?? body, { messageId: id, headers });
  };
  const pendingBundle = async (count: number): Promise<{ first: Event; messages: OutgoingMessage[] }> => {
    const events = await givenEvents(database.pool, count);
    return { first: events[0] as Event, messages: await takePending(database.pool) };
  };
  const isGone = async (): Promise<void> => {
    await eventually(async () => expect(await waiting(BUNDLES)).toBe(0));
    expect(await waiting('events.safety')).toBe(0);
  };
  const distrusted = async (worker: TestWorker, result: string): Promise<number> => {
    const { values } = await worker.metrics.distrustedMessages.get();
    return values.find(({ labels }) => labels.result === result)?.value ?? 0;
  };

  it('settles all of them, without a look-up, and acks the bundle', async () => {
    const { messages } = await pendingBundle(40);
    const worker = start();
    sendBundle(messages);
    await settled(40);
    await worker.stop();
    await isGone();
    expect([await usage(), await distrusted(worker, 'looked-up')]).toEqual([40, 0]);
  });

  it('gets them from a publisher that sees it', async () => {
    start();
    await eventually(async () => expect((await raw.checkQueue(BUNDLES)).consumerCount).toBe(1));
    const { messages } = await pendingBundle(120);
    expect(await broker.publish(messages, AMPLE_MS)).toEqual(messages.map(() => 'confirmed'));
    await settled(120);
    await isGone();
  });

  it('schedules a retry of the one that fails, and acks the bundle', async () => {
    const { first, messages } = await pendingBundle(6);
    const failing = transactional('failing', ['*'], (events) => {
      const bad = events.filter(({ id }) => id === first.id);
      return Promise.resolve(
        new Map(bad.map(({ id }) => [id, { kind: 'retry', reasonCode: 'HANDLER_ERROR' } as const])),
      );
    });
    const worker = start(failing);
    sendBundle(messages);
    await settled(5);
    await eventually(async () => expect(await countRows(database.pool, 'retry_schedule')).toBe(1));
    await worker.stop();
    await isGone();
  });

  it('moves the bundle to events.safety if one of them always fails, and settles the others', async () => {
    const { first, messages } = await pendingBundle(6);
    await database.pool.query(`
      create function fails() returns trigger language plpgsql as $$ begin raise exception 'it is broken'; end $$;
      create trigger fails before insert on processing_attempts for each row when (new.event_id = '${first.id}')
        execute function fails()`);
    start();
    sendBundle(messages);
    await settled(5);
    await eventually(async () => expect(await waiting('events.safety')).toBe(1));
    expect(await usage()).toBe(5);
  });

  it('I10: takes a bundle apart that comes back after a crash, and finds the one that kills workers', async () => {
    const { first, messages } = await pendingBundle(6);
    const killed = new Listener(broker);
    sendBundle(messages);
    await killed.receives(6);
    await killed.consumer.close(); // as a crash does
    await database.pool.query('insert into crash_trials (event_id, starts) values ($1, 3)', [first.id]);
    const sizes: number[] = [];
    start(
      transactional('counting', ['*'], (events) => Promise.resolve(sizes.push(events.length)).then(() => undefined)),
    );
    await settled(5);
    await eventually(async () => expect(await attemptRows(database.pool, first)).toHaveLength(1));
    expect(await attemptRows(database.pool, first)).toMatchObject([{ status: 'DLQ', reasonCode: 'WORKER_CRASH' }]);
    expect(sizes).toEqual([1, 1, 1, 1, 1]);
    await eventually(async () => expect(await countRows(database.pool, 'crash_trials')).toBe(0));
    await isGone();
  });

  it('settles nothing twice when a bundle comes again of which a part is settled', async () => {
    const { messages } = await pendingBundle(6);
    start();
    sendBundle(messages.slice(0, 3));
    await settled(3);
    sendBundle(messages);
    sendBundle(messages.toReversed());
    await settled(6);
    await isGone();
    expect([await usage(), await countRows(database.pool, 'processing_attempts')]).toEqual([6, 6]);
  });

  it('drops a signed bundle of which one entry was changed, and settles the true one', async () => {
    const { messages } = await pendingBundle(6);
    const worker = start();
    const [one, ...others] = messages as [OutgoingMessage, ...OutgoingMessage[]];
    sendBundle(messages, {
      body: bundleBody([{ ...one, headers: { ...one.headers, 'tenant-id': 'attacker' } }, ...others]),
    });
    sendBundle(messages, { body: bundleBody([one, one, ...others.slice(1)]) });
    await eventually(async () => expect(await distrusted(worker, 'forged')).toBe(2));
    expect(await countRows(database.pool, 'processing_attempts')).toBe(0);
    sendBundle(messages);
    await settled(6);
    await isGone();
  });

  it('looks up each entry of an unsigned bundle, and drops what names no open dispatch', async () => {
    const { messages } = await pendingBundle(6);
    const worker = start();
    const [one, ...others] = messages as [OutgoingMessage, ...OutgoingMessage[]];
    sendBundle([{ ...one, headers: { ...one.headers, 'dispatch-no': 9 } }, ...others], { unsigned: true });
    await settled(5);
    expect(await Promise.all(['looked-up', 'unknown'].map((result) => distrusted(worker, result)))).toEqual([5, 1]);
    await isGone();
  });

  it('takes no bundles while it has external handlers, whose calls would hold them', async () => {
    start(external('calls', ['*'], () => Promise.resolve(DONE)));
    await eventually(async () => expect((await raw.checkQueue('events.main')).consumerCount).toBe(1));
    const { messages } = await pendingBundle(20);
    await broker.publish(messages, AMPLE_MS);
    await settled(20);
    expect((await raw.checkQueue(BUNDLES)).consumerCount).toBe(0);
  });
});
