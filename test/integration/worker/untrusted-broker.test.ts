import type { Channel } from 'amqplib';
import { QUEUES, type OutgoingMessage } from '../../../src/broker/broker';
import { RabbitBroker } from '../../../src/broker/rabbit-broker';
import { toAmqpHeaders } from '../../../src/broker/rabbit-headers';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { AMPLE_MS } from '../../support/broker/listener';
import { openRawChannel, openVhost } from '../../support/broker/rabbit-queues';
import { eventually } from '../../support/eventually';
import { DONE, external } from '../../support/handlers';
import { macKeys } from '../../support/mac-keys';
import { givenRevision } from '../../support/revisions';
import { attemptRows, countRows, givenEvent, givenEvents, givenState } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { startWorker, takePending, type TestWorker } from '../../support/worker';

const SAFETY = 'events.safety';
const KEYS = macKeys('ours');

/** Somebody who may write to the exchange `events`, and reads what passes by. */
describe('a worker whose broker is hostile', () => {
  const database = new WorkerDatabase();
  let hostile: Channel;
  let broker: RabbitBroker;
  let worker: TestWorker;
  let seen: DispatchedEvent[];
  beforeEach(async () => {
    const vhost = await openVhost();
    broker = await RabbitBroker.connect(vhost.url, { publishes: true, consumes: true }, KEYS);
    atTheEnd(() => broker.close());
    await eventually(() => expect(broker.canPublish()).toBe(true));
    hostile = await openRawChannel(vhost.url);
    seen = [];
    const sees = external('sees', ['*'], (event) => Promise.resolve(seen.push(event)).then(() => DONE));
    worker = startWorker(database.pool, broker, [new UsageMeter(), sees]);
    atTheEnd(() => worker.stop());
  });
  afterEach(closeAll);

  const sendForged = (message: OutgoingMessage, headers: Record<string, string>): void => {
    hostile.publish('events', message.queue, message.body, { messageId: message.id, headers });
  };
  const unsigned = (message: OutgoingMessage): void => sendForged(message, toAmqpHeaders(message, undefined));
  const publish = async (...messages: OutgoingMessage[]): Promise<void> => {
    expect(await broker.publish(messages, AMPLE_MS)).toEqual(messages.map(() => 'confirmed'));
  };
  const pendingMessage = async (): Promise<OutgoingMessage> => (await takePending(database.pool))[0] as OutgoingMessage;
  const usage = async (): Promise<object[]> =>
    (await database.pool.query<object>('select tenant_id, events::int from usage_daily order by 1')).rows;
  const distrusted = async (result: string): Promise<number> => {
    const { values } = await worker.metrics.distrustedMessages.get();
    return values.find(({ labels }) => labels.result === result)?.value ?? 0;
  };
  const settled = (event: { id: string }) =>
    eventually(async () =>
      expect(await countRows(database.pool, `processing_attempts where event_id = '${event.id}'`)).toBe(1),
    );
  /** The queue is worked off once a later message has been settled. */
  const workedOff = async (): Promise<void> => {
    const [last] = await givenEvents(database.pool, 1, {}, 'last');
    await publish(await pendingMessage());
    await settled(last as Event);
  };

  it('settles what it has signed itself, without a look-up', async () => {
    const event = await givenEvent(database.pool);
    await publish(await pendingMessage());
    await settled(event);
    expect(seen).toMatchObject([{ id: event.id, tenantId: 'acme' }]);
    expect(await Promise.all(['forged', 'unknown', 'looked-up'].map(distrusted))).toEqual([0, 0, 0]);
  });

  it.each([
    ['another tenant', { 'tenant-id': 'attacker' }],
    ['another type', { 'event-type': 'order.refunded' }],
    ['another size', { 'size-bytes': 1 }],
    ['a later dispatch', { 'dispatch-no': 7 }],
    ['another generation', { generation: 2 }],
  ])('drops a signed message that was changed to %s, and settles the true one that follows', async (_what, change) => {
    const event = await givenEvent(database.pool);
    const message = await pendingMessage();
    const signed = toAmqpHeaders(message, KEYS.current()).streamforge as string;
    sendForged(message, { streamforge: JSON.stringify({ ...(JSON.parse(signed) as object), ...change }) });
    sendForged({ ...message, body: Buffer.from('{"payload":{"amount":1}}') }, { streamforge: signed });
    await eventually(async () => expect(await distrusted('forged')).toBe(2));
    expect(await attemptRows(database.pool, event)).toEqual([]);
    await publish(message);
    await settled(event);
    expect(seen.map(({ body }) => String(body))).toEqual([String(message.body)]);
    expect(await usage()).toEqual([{ tenant_id: 'acme', events: 1 }]);
  });

  it('drops the signed copy of a dead letter in the queue of fresh events', async () => {
    const event = await givenEvent(database.pool);
    const message = await pendingMessage();
    const copy = { ...message, queue: QUEUES.dlq, body: Buffer.from('{}') };
    sendForged({ ...copy, queue: QUEUES.main }, toAmqpHeaders(copy, KEYS.current()));
    await eventually(async () => expect(await distrusted('forged')).toBe(1));
    expect(await attemptRows(database.pool, event)).toEqual([]);
  });

  it('takes from an unsigned message only which event it is: tenant, body and size are those that are stored', async () => {
    const event = await givenEvent(database.pool, { payload: { amount: 1_000 } });
    const message = await pendingMessage();
    unsigned({
      ...message,
      headers: { ...message.headers, 'tenant-id': 'attacker', 'size-bytes': 1_000_000 },
      body: Buffer.from('{"payload":{"amount":1}}'),
    });
    await settled(event);
    expect(seen).toMatchObject([{ tenantId: 'acme', sizeBytes: event.sizeBytes, dispatchNo: 1, generation: 1 }]);
    expect(JSON.parse(String(seen[0]?.body))).toMatchObject({ id: event.id, payload: { amount: 1_000 } });
    expect(await usage()).toEqual([{ tenant_id: 'acme', events: 1 }]);
    expect(await distrusted('looked-up')).toBe(1);
  });

  it.each([
    ['a later dispatch', { 'dispatch-no': 2 }],
    ['a dispatch at the end of the numbers', { 'dispatch-no': 2 ** 31 - 2 }],
    ['another generation', { generation: 2 }],
    ['a revision that there is not', { generation: -1, revision: 2 }],
  ])('drops an unsigned message that names %s', async (_what, change) => {
    const event = await givenEvent(database.pool);
    const message = await pendingMessage();
    unsigned({ ...message, headers: { ...message.headers, ...change } });
    await eventually(async () => expect(await distrusted('unknown')).toBe(1));
    await publish(message);
    await settled(event);
    expect(await attemptRows(database.pool, event)).toMatchObject([{ dispatchNo: 1, generation: 1 }]);
    expect(seen).toHaveLength(1);
  });

  it('looks up the revision that an unsigned message of a revised event names', async () => {
    const event = await givenEvent(database.pool);
    const { headers, ...message } = await pendingMessage();
    await givenState(database.pool, event, { status: 'DISPATCHED', dispatchNo: 2, attempts: 0 });
    await givenRevision(database.pool, event, 2, '{"amount":2}');
    unsigned({ ...message, headers: { ...headers, 'dispatch-no': 2, generation: -1, revision: 2 } });
    await settled(event);
    expect(JSON.parse(String(seen[0]?.body))).toMatchObject({ payload: { amount: 2 }, revision: 2 });
  });

  it('reads nothing for an unsigned message of an event that has succeeded', async () => {
    const event = await givenEvent(database.pool);
    const message = await pendingMessage();
    await publish(message);
    await settled(event);
    unsigned(message);
    await eventually(async () => expect(await distrusted('unknown')).toBe(1));
    expect(await distrusted('looked-up')).toBe(0);
  });

  it('neither runs nor bills an event that nobody has sent', async () => {
    const event = await givenEvent(database.pool);
    const message = await pendingMessage();
    unsigned({ ...message, id: uuidV7() });
    await eventually(async () => expect(await distrusted('unknown')).toBe(1));
    await publish(message);
    await settled(event);
    expect(await countRows(database.pool, 'processing_attempts')).toBe(1);
    expect(await usage()).toEqual([{ tenant_id: 'acme', events: 1 }]);
  });

  it('parks nonsense in events.safety and goes on with the messages behind it', async () => {
    await givenEvent(database.pool);
    const message = await pendingMessage();
    const nonsense: Record<string, unknown>[] = [
      { 'dispatch-no': 1.5 },
      { generation: 1e18 },
      { 'received-at': 'garbage' },
      { 'received-at': 'infinity' },
      { 'size-bytes': 1e308 },
      { 'size-bytes': -1_000_000 },
      { 'tenant-id': '\0' },
    ];
    for (const change of nonsense) {
      sendForged(message, { streamforge: JSON.stringify({ ...message.headers, ...change }) });
    }
    sendForged({ ...message, id: 'x'.repeat(255) }, {});
    await workedOff();
    await eventually(async () => {
      expect((await hostile.checkQueue(SAFETY)).messageCount).toBe(nonsense.length + 1);
    });
    const parked = await hostile.get(SAFETY);
    expect(parked && (parked.properties.headers?.['x-death'] as unknown[])).toMatchObject([
      { reason: 'rejected', queue: QUEUES.main },
    ]);
    const { values } = await worker.metrics.parkedMessages.get();
    expect(values).toContainEqual({ labels: { reason: 'unreadable' }, value: nonsense.length + 1 });
  });

  it('I7: runs once what is sent to it again and again', async () => {
    const event = await givenEvent(database.pool);
    const message = await pendingMessage();
    const signed = toAmqpHeaders(message, KEYS.current());
    await publish(message);
    for (let i = 0; i < 20; i++) sendForged(message, signed);
    await settled(event);
    await workedOff();
    expect(await attemptRows(database.pool, event)).toHaveLength(1);
    expect(await usage()).toEqual([
      { tenant_id: 'acme', events: 1 },
      { tenant_id: 'last', events: 1 },
    ]);
  });
});
