import { Logger } from '@nestjs/common';
import { createPool } from '../../../src/db/pool';
import type { OutgoingMessage } from '../../../src/broker/broker';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import type { Event } from '../../../src/event/event';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { Metrics } from '../../../src/observability/metrics';
import { Publisher } from '../../../src/outbox/publisher';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { prepared } from '../../support/events';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { givenEntry, givenEvent, outboxRows, setEntries } from '../../support/rows';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

const LEASE_SECONDS = 30;

describe('what the publisher sends, and how it runs', () => {
  let database: TestDatabase;
  let broker: ScriptedBroker;
  let metrics: Metrics;
  let wakeUp: LocalWakeUp;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    await database.pool.query('truncate events, outbox, idempotency_keys, event_state');
    broker = new ScriptedBroker();
    metrics = new Metrics();
    wakeUp = new LocalWakeUp();
  });
  afterAll(() => database.drop());

  const publisherTo = (target: ScriptedBroker, env: Record<string, string> = {}): Publisher => {
    const settings = testSettings({ OUTBOX_INFLIGHT_LEASE_SECONDS: String(LEASE_SECONDS), ...env });
    return new Publisher(settings, database.pool, target, wakeUp, metrics);
  };

  const idsOf = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id);

  describe('messages', () => {
    const messageOf = async (event: Event): Promise<OutgoingMessage> => {
      await publisherTo(broker).runOnce();
      const message = broker.received.find(({ id }) => id === event.id);
      if (!message) throw new Error('it was not published');
      return message;
    };

    it('carry the event, with the payload exactly as it was sent', async () => {
      const payloadJson = '{"price": 10.10, "big":12345678901234567890,"e":1e3, "text":"\\u00e4 😀","z":1,"a":[ ]}';
      const event = prepared({ occurredAt: '2026-01-31T13:00:00.5+01:00', eventId: 'own-id' });
      event.event.payloadJson = payloadJson;
      await storeBatch(database.pool, [event]);
      const { body, queue } = await messageOf(event.event);
      expect(queue).toBe('events.main');
      expect(body.toString()).toContain(`"payload":${payloadJson}}`);
      const { id, tenantId, eventId, type, subject, partitionKey, receivedAt, hash, correlationId } = event.event;
      expect(JSON.parse(body.toString())).toEqual({
        id,
        tenantId,
        eventId,
        type,
        subject,
        partitionKey,
        occurredAt: '2026-01-31T12:00:00.500Z',
        receivedAt,
        source: 'api',
        schemaVersion: '1.0.0',
        specVersion: '1.0',
        hash,
        correlationId,
        payload: JSON.parse(payloadJson) as unknown,
      });
    });

    it('say in their headers what a worker needs to settle them', async () => {
      const event = prepared();
      await storeBatch(database.pool, [event]);
      const { headers } = await messageOf(event.event);
      expect(headers).toEqual({
        'tenant-id': 'acme',
        'event-type': 'order.paid',
        'received-at': event.event.receivedAt,
        'size-bytes': event.event.sizeBytes,
        'correlation-id': 'test',
        'dispatch-no': 1,
        generation: 1,
      });
    });

    it('carry the trace context if the request had one', async () => {
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      const event = prepared({}, { traceparent });
      await storeBatch(database.pool, [event]);
      expect((await messageOf(event.event)).headers).toMatchObject({ traceparent });
    });

    it('go to the queue of their destination, with their dispatch and generation', async () => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'PUBLISHED');
      await givenEntry(database.pool, event, { destination: 'retry', dispatchNo: 2 });
      await givenEntry(database.pool, event, { destination: 'dlq', dispatchNo: 3, generation: 2 });
      await publisherTo(broker).runOnce();
      expect(broker.received.map(({ queue, headers }) => [queue, headers['dispatch-no'], headers.generation])).toEqual([
        ['events.retry', 2, 1],
        ['events.dlq', 3, 2],
      ]);
    });
  });

  describe('as a loop', () => {
    it('is woken by a commit and publishes within milliseconds', async () => {
      const publisher = publisherTo(broker);
      publisher.onApplicationBootstrap();
      const event = await givenEvent(database.pool);
      wakeUp.signal();
      await eventually(async () => {
        await expect(outboxRows(database.pool, event)).resolves.toMatchObject([{ status: 'PUBLISHED' }]);
      });
      await publisher.beforeApplicationShutdown();
    });

    it('I15: stops only when the claim in hand is closed, and claims nothing after that', async () => {
      let confirm: () => void = () => undefined;
      const confirmed = new Promise<void>((resolve) => (confirm = resolve));
      broker.answer = () => confirmed.then(() => 'confirmed');
      const event = await givenEvent(database.pool);
      const publisher = publisherTo(broker);
      publisher.onApplicationBootstrap();
      await eventually(() => expect(broker.received).toHaveLength(1));
      let stopped = false;
      const stopping = publisher.beforeApplicationShutdown().then(() => (stopped = true));
      const late = await givenEvent(database.pool); // gives the stop time to be wrong
      wakeUp.signal();
      expect(stopped).toBe(false);
      confirm();
      await stopping;
      await expect(outboxRows(database.pool, event)).resolves.toMatchObject([{ status: 'PUBLISHED' }]);
      await expect(outboxRows(database.pool, late)).resolves.toMatchObject([{ status: 'PENDING', lockOwner: null }]);
      expect(idsOf(broker.received)).toEqual([event.id]);
    });

    it('can be stopped twice, and before it was started', async () => {
      const publisher = publisherTo(broker);
      await publisher.beforeApplicationShutdown();
      await publisher.beforeApplicationShutdown();
      publisher.onApplicationBootstrap();
      await givenEvent(database.pool);
      await publisher.beforeApplicationShutdown();
      expect(broker.received).toHaveLength(0);
    });

    it('survives a database that is away', async () => {
      const nowhere = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'nowhere');
      const publisher = new Publisher(testSettings(), nowhere, broker, wakeUp, metrics);
      await expect(publisher.runOnce()).rejects.toThrow('ECONNREFUSED');
      publisher.onApplicationBootstrap();
      await publisher.beforeApplicationShutdown();
      await nowhere.end();
    });
  });
});
