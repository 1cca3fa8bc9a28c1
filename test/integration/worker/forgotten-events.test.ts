import type { Channel } from 'amqplib';
import { QUEUES, type OutgoingMessage } from '../../../src/broker/broker';
import type { Event } from '../../../src/event/event';
import { RabbitBroker } from '../../../src/broker/rabbit-broker';
import { ThisInstallation } from '../../../src/installation/this-installation';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { AMPLE_MS } from '../../support/broker/listener';
import { openRawChannel, openVhost } from '../../support/broker/rabbit-queues';
import { eventually } from '../../support/eventually';
import { DONE, external, transactional } from '../../support/handlers';
import { macKeys } from '../../support/mac-keys';
import { givenRevision } from '../../support/revisions';
import { attemptRows, countRows, givenEvent, givenEvents, givenState } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { startWorker, takePending, type TestWorker } from '../../support/worker';

const SAFETY = 'events.safety';
const WAIT_MS = 30_000;

describe('a worker whose database goes back in time', () => {
  const database = new WorkerDatabase();
  let raw: Channel;
  let broker: RabbitBroker;
  let seen: string[];
  beforeEach(async () => {
    const vhost = await openVhost();
    broker = await RabbitBroker.connect(vhost.url, { publishes: true, consumes: true }, macKeys('ours'));
    atTheEnd(() => broker.close());
    await eventually(() => expect(broker.canPublish()).toBe(true));
    raw = await openRawChannel(vhost.url);
    seen = [];
  });
  afterEach(closeAll);

  const sees = external('sees', ['order.*'], (event) => Promise.resolve(seen.push(event.id)).then(() => DONE));
  const start = (...handlers: Parameters<typeof startWorker>[2]): TestWorker => {
    const worker = startWorker(database.pool, broker, [new UsageMeter(), ...handlers]);
    atTheEnd(() => worker.stop());
    return worker;
  };
  const publish = async (messages: readonly OutgoingMessage[]): Promise<void> => {
    expect(await broker.publish(messages, AMPLE_MS)).toEqual(messages.map(() => 'confirmed'));
  };
  const goBack = async (...forgotten: Event[]): Promise<void> => {
    await database.pool.query('delete from events where id = any ($1::uuid[])', [forgotten.map(({ id }) => id)]);
    await database.pool.query('update database_history set token = gen_random_uuid()');
  };
  const parked = async (): Promise<number> => (await raw.checkQueue(SAFETY)).messageCount;
  const forgottenBy = async ({ metrics }: TestWorker): Promise<number | undefined> =>
    (await metrics.parkedMessages.get()).values.find(({ labels }) => labels.reason === 'forgotten')?.value;
  const metered = async (): Promise<unknown> =>
    (await database.pool.query<{ events: number }>('select coalesce(sum(events), 0)::int as events from usage_daily'))
      .rows[0]?.events;

  it('parks the messages of events that it has forgotten, and settles the others', async () => {
    const events = await givenEvents(database.pool, 6);
    await publish(await takePending(database.pool));
    await goBack(...events.slice(0, 2));
    const worker = start(sees);
    await eventually(async () => {
      expect(await countRows(database.pool, 'processing_attempts')).toBe(4);
      expect(await parked()).toBe(2);
    }, WAIT_MS);
    expect(await forgottenBy(worker)).toBe(2);
    expect(seen.sort()).toEqual(
      events
        .slice(2)
        .map(({ id }) => id)
        .sort(),
    );
    expect(await metered()).toBe(4);
    const message = await raw.get(SAFETY);
    expect(events.slice(0, 2).map(({ id }) => id)).toContain(message && message.properties.messageId);
  });

  it('settles nothing in another history than the one in which the messages were confirmed', async () => {
    const [forgotten, stored] = (await givenEvents(database.pool, 2)) as [Event, Event];
    let runs = 0;
    const counts = transactional('counts', ['*'], () => {
      runs += 1;
      return Promise.resolve();
    });
    const worker = start(counts);
    const [first] = await givenEvents(database.pool, 1, {}, 'first');
    const messages = await takePending(database.pool);
    await publish(messages.filter(({ id }) => id === first?.id));
    await eventually(async () => expect(await countRows(database.pool, 'processing_attempts')).toBe(1), WAIT_MS);
    await goBack(forgotten); // the worker does not know it: no connection was lost
    await publish(messages.filter(({ id }) => id !== first?.id));
    await eventually(async () => {
      expect(await countRows(database.pool, 'processing_attempts')).toBe(2);
      expect(await parked()).toBe(1);
    }, WAIT_MS);
    expect(await attemptRows(database.pool, stored)).toHaveLength(1);
    expect(await attemptRows(database.pool, forgotten)).toEqual([]);
    expect(await metered()).toBe(2);
    expect(runs).toBe(2);
    expect(await countRows(database.pool, 'crash_trials where starts > 0')).toBe(0);
    expect(await forgottenBy(worker)).toBe(1);
  });

  it('settles nothing, and parks nothing, while the database is not at home', async () => {
    const [first, second] = (await givenEvents(database.pool, 2)) as [Event, Event];
    const messages = await takePending(database.pool);
    const installation = new ThisInstallation(database.pool);
    const worker = startWorker(database.pool, broker, [new UsageMeter(), sees], {}, installation);
    atTheEnd(() => worker.stop());
    await publish(messages.filter(({ id }) => id === first.id));
    await eventually(async () => expect(await attemptRows(database.pool, first)).toHaveLength(1), WAIT_MS);
    const told = new Promise<void>((resolve) => installation.onMoved(resolve));
    await database.pool.query(`update installation set home = home || ' of before'`);
    await goBack(); // no connection is lost: a pooler leads to another server now
    await publish(messages.filter(({ id }) => id === second.id));
    await told;
    expect(seen).toEqual([first.id]);
    expect(await countRows(database.pool, 'processing_attempts')).toBe(1);
    await database.pool.query(`update installation set home = replace(home, ' of before', '')`);
    await eventually(async () => expect(await attemptRows(database.pool, second)).toHaveLength(1), WAIT_MS);
    expect(await parked()).toBe(0);
  });

  it('uses a signed message as it is, without reading the payload again, unless its event was revised or erased', async () => {
    const [asSent, revised, erased] = (await givenEvents(database.pool, 3)) as [Event, Event, Event];
    const messages = await takePending(database.pool); // their bodies have nothing but the id
    await givenState(database.pool, revised, { status: 'DISPATCHED', dispatchNo: 2, attempts: 0 });
    await givenRevision(database.pool, revised, 2, '{"amount":2}');
    await database.pool.query(`update events set payload = 'null', erased_at = now() where id = $1`, [erased.id]);
    await publish(
      messages.map((message) => {
        if (message.id !== revised.id) return message;
        return { ...message, headers: { ...message.headers, 'dispatch-no': 2, generation: -1, revision: 2 } };
      }),
    );
    await goBack();
    const payloads = new Map<string, unknown>();
    const reads = external('reads', ['*'], (event) => {
      payloads.set(event.id, (JSON.parse(String(event.body)) as { payload?: unknown }).payload);
      return Promise.resolve(DONE);
    });
    const worker = start(reads);
    await eventually(async () => expect(await countRows(database.pool, 'processing_attempts')).toBe(3), WAIT_MS);
    expect([asSent, revised, erased].map(({ id }) => payloads.get(id))).toEqual([undefined, { amount: 2 }, null]);
    const { values } = await worker.metrics.distrustedMessages.get();
    expect(values.find(({ labels }) => labels.result === 'looked-up')?.value).toBe(3);
  });

  it('drops, without a fuss, a message whose event has gone on meanwhile', async () => {
    const event = await givenEvent(database.pool);
    const messages = await takePending(database.pool);
    const worker = start(sees);
    await publish(messages);
    await eventually(async () => expect(await attemptRows(database.pool, event)).toHaveLength(1), WAIT_MS);
    await goBack();
    await publish(messages);
    await eventually(async () => expect((await raw.checkQueue(QUEUES.main)).messageCount).toBe(0), WAIT_MS);
    const later = await givenEvent(database.pool);
    await publish(await takePending(database.pool));
    await eventually(async () => expect(await attemptRows(database.pool, later)).toHaveLength(1), WAIT_MS);
    expect(await attemptRows(database.pool, event)).toHaveLength(1);
    expect(await parked()).toBe(0);
    const { values } = await worker.metrics.distrustedMessages.get();
    expect(values.find(({ labels }) => labels.result === 'unknown')?.value ?? 0).toBe(0);
    expect(seen).toEqual([event.id, later.id]);
  });
});
