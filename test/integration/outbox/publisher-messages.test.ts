import { setTimeout as sleep } from 'node:timers/promises';
import { readHistory } from '../../../src/db/history/history.queries';
import { createPool } from '../../../src/db/pool';
import type { OutgoingMessage } from '../../../src/broker/broker';
import type { Event } from '../../../src/event/event';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { Publisher } from '../../../src/outbox/publisher';
import { testSettings } from '../../support/app';
import { prepared } from '../../support/events';
import { eventually } from '../../support/eventually';
import { useOutbox } from '../../support/fixtures/outbox';
import { freePort } from '../../support/processes/free-port';
import { givenEntry, givenEvent, outboxRows, setEntries } from '../../support/rows';

const outbox = useOutbox();
const { publisherTo } = outbox;

describe('the messages of the publisher', () => {
  const messageOf = async (event: Event): Promise<OutgoingMessage> => {
    await publisherTo(outbox.broker).runOnce();
    const message = outbox.broker.received.find(({ id }) => id === event.id);
    if (!message) throw new Error('it was not published');
    return message;
  };

  it('contain the event, with its payload exactly as it was received', async () => {
    const payloadJson = '{"price": 10.10, "big":12345678901234567890,"e":1e3, "text":"\\u00e4 😀","z":1,"a":[ ]}';
    const event = prepared({ occurredAt: '2026-01-31T13:00:00.5+01:00', eventId: 'own-id' });
    event.event.payloadJson = payloadJson;
    await storeBatch(outbox.pool, [event]);
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

  it('carry in their headers what a worker needs to settle them', async () => {
    const event = prepared();
    await storeBatch(outbox.pool, [event]);
    const { headers } = await messageOf(event.event);
    expect(headers).toEqual({
      'tenant-id': 'acme',
      'event-type': 'order.paid',
      'received-at': event.event.receivedAt,
      'size-bytes': event.event.sizeBytes,
      'correlation-id': 'test',
      'dispatch-no': 1,
      generation: 1,
      'published-at': expect.closeTo(Date.now(), -5) as number,
      history: await readHistory(outbox.pool),
    });
  });

  it('carry the trace context of the request', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const event = prepared({}, { traceparent });
    await storeBatch(outbox.pool, [event]);
    expect((await messageOf(event.event)).headers).toMatchObject({ traceparent });
  });

  it('go to the queue of their entry, with dispatch number and generation', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    await givenEntry(outbox.pool, event, { destination: 'retry', dispatchNo: 2 });
    await givenEntry(outbox.pool, event, { destination: 'dlq', dispatchNo: 3, generation: 2 });
    await publisherTo(outbox.broker).runOnce();
    expect(
      outbox.broker.received.map(({ queue, headers }) => [queue, headers['dispatch-no'], headers.generation]),
    ).toEqual([
      ['events.retry', 2, 1],
      ['events.dlq', 3, 2],
    ]);
  });

  it('of a dead letter are references: ids and the reason, and nothing that the producer has written', async () => {
    const event = await givenEvent(outbox.pool, { subject: 'Ada Lovelace', payload: { name: 'Ada' } });
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    await givenEntry(outbox.pool, event, { destination: 'dlq', dispatchNo: 3 });
    await outbox.pool.query(
      `insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, exhausted,
                                 first_failed_at, last_failed_at)
       values ($1, 'acme', 'order.paid', 'TIMEOUT', 'Ada did not answer', 5, true, now(), '2026-01-31T12:00:00Z')`,
      [event.id],
    );
    await publisherTo(outbox.broker).runOnce();
    const [reference] = outbox.broker.received;
    expect(JSON.parse(String(reference?.body))).toEqual({
      id: event.id,
      tenantId: 'acme',
      eventId: event.eventId,
      type: 'order.paid',
      generation: 1,
      dispatchNo: 3,
      reasonCode: 'TIMEOUT',
      exhausted: true,
      failedAt: '2026-01-31T12:00:00.000Z',
    });
    await outbox.pool.query('delete from dead_letters');
  });

  it('of dead letters are not sent without DLQ_COPY, and their entries are closed', async () => {
    const [event, fresh] = [await givenEvent(outbox.pool), await givenEvent(outbox.pool)];
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    const copy = await givenEntry(outbox.pool, event, { destination: 'dlq', dispatchNo: 3 });
    await publisherTo(outbox.broker, { DLQ_COPY: 'false' }).runOnce();
    expect(outbox.broker.received.map(({ queue, id }) => [queue, id])).toEqual([['events.main', fresh.id]]);
    const { rows } = await outbox.pool.query('select status, lock_owner is null as free from outbox where id = $1', [
      copy,
    ]);
    expect(rows).toMatchObject([{ status: 'PUBLISHED' }]);
  });
});

describe('the loop of the publisher', () => {
  it('publishes a committed event when it is woken', async () => {
    const publisher = publisherTo(outbox.broker);
    publisher.onApplicationBootstrap();
    const event = await givenEvent(outbox.pool);
    outbox.wakeUp.signal();
    await eventually(async () => {
      await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([{ status: 'PUBLISHED' }]);
    });
    await publisher.beforeApplicationShutdown();
  });

  it('I15: closes its current claim before it stops, and claims nothing after that', async () => {
    let confirm: () => void = () => undefined;
    const confirmed = new Promise<void>((resolve) => (confirm = resolve));
    outbox.broker.answer = () => confirmed.then(() => 'confirmed');
    const event = await givenEvent(outbox.pool);
    const publisher = publisherTo(outbox.broker);
    publisher.onApplicationBootstrap();
    await eventually(() => expect(outbox.broker.received).toHaveLength(1));
    let stopped = false;
    const stopping = publisher.beforeApplicationShutdown().then(() => (stopped = true));
    await sleep(300); // a claim of the second loop that has begun ends; also gives the stop time to be wrong
    const late = await givenEvent(outbox.pool);
    outbox.wakeUp.signal();
    expect(stopped).toBe(false);
    confirm();
    await stopping;
    await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([{ status: 'PUBLISHED' }]);
    await expect(outboxRows(outbox.pool, late)).resolves.toMatchObject([{ status: 'PENDING', lockOwner: null }]);
    expect(outbox.broker.received.map(({ id }) => id)).toEqual([event.id]);
  });

  it('can be stopped twice, and before it was started', async () => {
    const publisher = publisherTo(outbox.broker);
    await publisher.beforeApplicationShutdown();
    await publisher.beforeApplicationShutdown();
    publisher.onApplicationBootstrap();
    await givenEvent(outbox.pool);
    await publisher.beforeApplicationShutdown();
    expect(outbox.broker.received).toHaveLength(0);
  });

  it('continues after an error of the database', async () => {
    const nowhere = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'nowhere');
    const publisher = new Publisher(testSettings(), nowhere, outbox.broker, outbox.wakeUp, outbox.metrics);
    await expect(publisher.runOnce()).rejects.toThrow('ECONNREFUSED');
    publisher.onApplicationBootstrap();
    await publisher.beforeApplicationShutdown();
    await nowhere.end();
  });
});
