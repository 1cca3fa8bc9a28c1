import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { readEventStatuses } from '../../../src/admin/events/event-details.queries';
import { findEventById, listAttempts, type EventWithStatus } from '../../../src/ingest/event-reader.queries';
import { listDeliveriesOf } from '../../../src/ingest/deliveries-of-event.queries';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import {
  givenAttempt,
  givenEntry,
  givenEvent,
  givenFailedEvent,
  givenState,
  outboxRows,
  setEntries,
} from '../../support/rows';

describe('the status of an event', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const read = async (event: Event): Promise<EventWithStatus> => {
    const found = await findEventById(database.pool, { tenantId: event.tenantId, tenantIds: null }, event.id);
    if (!found) throw new Error('no such event');
    return found;
  };
  it('is read by statements that PostgreSQL need not plan again', async () => {
    const event = await givenEvent(database.pool);
    const client = await database.pool.connect();
    await findEventById(client, { tenantId: event.tenantId, tenantIds: null }, event.id);
    await listAttempts(client, event.id);
    await listDeliveriesOf(client, event.id);
    await readEventStatuses(client, [event.id]);
    const { rows } = await client.query<{ name: string }>('select name from pg_prepared_statements');
    client.release();
    const names = ['find-event-by-id', 'list-attempts', 'list-deliveries-of-event', 'read-event-statuses'];
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  const SOME_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

  it.each(['PENDING', 'IN_FLIGHT', 'FAILED'] as const)('is RECEIVED while its entry is %s', async (status) => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], status);
    await expect(read(event)).resolves.toMatchObject({
      status: 'RECEIVED',
      publishedAt: null,
      completedAt: null,
      nextAttemptAt: null,
      lastError: null,
    });
  });

  it('is PUBLISHED once the broker has confirmed it', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    const [entry] = await outboxRows(database.pool, event);
    await expect(read(event)).resolves.toMatchObject({
      status: 'PUBLISHED',
      publishedAt: entry?.closedAt,
      completedAt: null,
    });
  });

  it('is still PUBLISHED after retention has deleted its entry', async () => {
    const event = await givenEvent(database.pool);
    await database.pool.query('delete from outbox where event_id = $1', [event.id]);
    await expect(read(event)).resolves.toMatchObject({ status: 'PUBLISHED', publishedAt: null });
  });

  it('is COMPLETED with its first success', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    await givenAttempt(database.pool, event);
    await expect(read(event)).resolves.toMatchObject({
      status: 'COMPLETED',
      publishedAt: SOME_TIME,
      completedAt: SOME_TIME,
    });
  });

  it('is COMPLETED even before the publisher has closed the entry, because a worker can be faster', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'IN_FLIGHT');
    await givenAttempt(database.pool, event);
    await expect(read(event)).resolves.toMatchObject({ status: 'COMPLETED', publishedAt: null });
  });

  it('is RETRYING, with the time and the error, while a retry waits', async () => {
    const event = await givenFailedEvent(database.pool, 30);
    const { rows } = await database.pool.query<{ due_at: string }>(
      'select due_at from retry_schedule where event_id = $1',
      [event.id],
    );
    await expect(read(event)).resolves.toMatchObject({
      status: 'RETRYING',
      nextAttemptAt: rows[0]?.due_at,
      lastError: 'it broke',
      completedAt: null,
    });
  });

  it('is COMPLETED after a retry that succeeded', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    const outboxId = await givenEntry(database.pool, event, { destination: 'retry', status: 'PUBLISHED' });
    await givenAttempt(database.pool, event, { status: 'RETRY' });
    await givenAttempt(database.pool, event, { dispatchNo: 2, attemptNumber: 2 });
    await givenState(database.pool, event, { status: 'COMPLETED', outboxId });
    await expect(read(event)).resolves.toMatchObject({ status: 'COMPLETED', lastError: null, nextAttemptAt: null });
  });

  it('is DLQ after the event was dead-lettered, also when the copy in events.dlq is published', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    await givenAttempt(database.pool, event, { status: 'DLQ', reasonCode: 'RETRY_EXHAUSTED' });
    await givenState(database.pool, event, { status: 'DLQ', lastError: 'it broke' });
    await expect(read(event)).resolves.toMatchObject({ status: 'DLQ', lastError: 'it broke', completedAt: null });
    await givenEntry(database.pool, event, { destination: 'dlq', status: 'PUBLISHED' });
    await expect(read(event)).resolves.toMatchObject({ status: 'DLQ' });
  });

  it('is DISCARDED after an operator has discarded the event', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    await givenState(database.pool, event, { status: 'DISCARDED', lastError: 'it broke' });
    await expect(read(event)).resolves.toMatchObject({ status: 'DISCARDED' });
  });

  it('follows the newest dispatch when the event was dispatched again', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    const outboxId = await givenEntry(database.pool, event);
    await givenState(database.pool, event, { status: 'DISPATCHED', outboxId, attempts: 0 });
    await expect(read(event)).resolves.toMatchObject({ status: 'RECEIVED', publishedAt: null });
    await setEntries(database.pool, [event], 'PUBLISHED');
    await expect(read(event)).resolves.toMatchObject({ status: 'PUBLISHED', publishedAt: SOME_TIME });
    await givenAttempt(database.pool, event, { dispatchNo: 2 });
    await expect(read(event)).resolves.toMatchObject({ status: 'COMPLETED' });
  });

  it('follows the newest generation: a replayed event is not COMPLETED by its old success', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    await givenAttempt(database.pool, event);
    const outboxId = await givenEntry(database.pool, event, { generation: 2, status: 'PUBLISHED' });
    await givenState(database.pool, event, { status: 'DISPATCHED', generation: 2, outboxId, attempts: 0 });
    await expect(read(event)).resolves.toMatchObject({ status: 'PUBLISHED', completedAt: null });
    await givenAttempt(database.pool, event, { generation: 2, dispatchNo: 2 });
    await expect(read(event)).resolves.toMatchObject({ status: 'COMPLETED', completedAt: SOME_TIME });
  });

  describe('once the handlers are done, follows the deliveries', () => {
    const HOUR = 3_600;
    const LEASE = uuidV7();
    const givenDone = async (): Promise<Event> => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'PUBLISHED');
      await givenAttempt(database.pool, event);
      return event;
    };
    /** Creates a succeeded event with these deliveries, each to a destination of its own. */
    const givenDelivered = async (...deliveries: Partial<Parameters<typeof givenDelivery>[1]>[]): Promise<Event> => {
      const event = await givenDone();
      for (const delivery of deliveries) {
        const destinationId = await givenDestinationRow(database.pool);
        await givenDelivery(database.pool, { eventId: event.id, destinationId, ...delivery });
      }
      return event;
    };
    const givenPaused = async (): Promise<string> => {
      const id = await givenDestinationRow(database.pool);
      await database.pool.query('update destinations set paused_at = now() where id = $1', [id]);
      return id;
    };
    const age = (event: Event, destinationId: string, generation: number, seconds: number) =>
      database.pool.query(
        `update deliveries set settled_at = now() - make_interval(secs => $4)
          where event_id = $1 and destination_id = $2 and generation = $3`,
        [event.id, destinationId, generation, seconds],
      );

    it('is DELIVERING while one is due or under way, whatever became of the others', async () => {
      for (const open of [{}, { attempts: 2 }, { attempts: 1, lease: LEASE, dueInSeconds: 30 }, { dueInSeconds: 60 }]) {
        const event = await givenDelivered(open, { status: 'FAILED' }, { attempts: 1, dueInSeconds: HOUR });
        await expect(read(event)).resolves.toMatchObject({
          status: 'DELIVERING',
          completedAt: null,
          nextAttemptAt: null,
        });
      }
    });

    it('is RETRYING, with the nearest time and the error of a failure, when the open ones wait', async () => {
      const event = await givenDelivered(
        { attempts: 1, dueInSeconds: 2 * HOUR, lastError: 'it is away' },
        { attempts: 3, dueInSeconds: HOUR, lastError: 'it is away' },
        { status: 'DELIVERED' },
      );
      const found = await read(event);
      expect(found).toMatchObject({ status: 'RETRYING', completedAt: null, lastError: 'it is away' });
      const waitMs = Date.parse(found.nextAttemptAt as string) - Date.now();
      expect(Math.abs(waitMs - HOUR * 1_000)).toBeLessThan(60_000);
    });

    it('is DELIVERING when all that are open are paused, and RETRYING when another one waits', async () => {
      const [one, other] = [await givenPaused(), await givenPaused()];
      const event = await givenDelivered({ destinationId: one }, { destinationId: other, attempts: 1 });
      await expect(read(event)).resolves.toMatchObject({ status: 'DELIVERING', nextAttemptAt: null });
      const destinationId = await givenDestinationRow(database.pool);
      await givenDelivery(database.pool, { eventId: event.id, destinationId, attempts: 1, dueInSeconds: HOUR });
      await expect(read(event)).resolves.toMatchObject({ status: 'RETRYING', nextAttemptAt: SOME_TIME });
    });

    it('is DELIVERING while the request that a pause found under way has not ended', async () => {
      const destinationId = await givenPaused();
      const event = await givenDelivered(
        { destinationId, lease: LEASE, dueInSeconds: 30 },
        { attempts: 1, dueInSeconds: HOUR },
      );
      await expect(read(event)).resolves.toMatchObject({ status: 'DELIVERING' });
    });

    it('is DLQ with a failed one, DISCARDED with a discarded one, and otherwise COMPLETED', async () => {
      const dead = await givenDelivered({ status: 'FAILED', lastError: '410' }, { status: 'DISCARDED' });
      await expect(read(dead)).resolves.toMatchObject({ status: 'DLQ', lastError: '410', completedAt: null });
      const discarded = await givenDelivered({ status: 'DISCARDED' }, { status: 'DELIVERED' });
      await expect(read(discarded)).resolves.toMatchObject({ status: 'DISCARDED', completedAt: null });
      const completed = await givenDelivered({ status: 'SKIPPED' }, { status: 'DELIVERED', lastError: 'HTTP_5XX' });
      await expect(read(completed)).resolves.toMatchObject({
        status: 'COMPLETED',
        completedAt: SOME_TIME,
        lastError: null,
      });
    });

    it('follows the newest generation of each destination', async () => {
      const destinationId = await givenDestinationRow(database.pool);
      const event = await givenDelivered(
        { destinationId, status: 'FAILED' },
        { destinationId, generation: 2, status: 'DELIVERED', replayId: uuidV7() },
      );
      await expect(read(event)).resolves.toMatchObject({ status: 'COMPLETED', completedAt: SOME_TIME });
    });

    it('is completed at the end of its last delivery, and remains so while a backfill is open or has failed', async () => {
      const event = await givenDone();
      const [early, late, added] = await Promise.all([1, 2, 3].map(() => givenDestinationRow(database.pool)));
      const deliver = (destinationId: string, more: Partial<Parameters<typeof givenDelivery>[1]>) =>
        givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'DELIVERED', ...more });
      await database.pool.query(
        `update processing_attempts set created_at = now() - interval '3 hours' where event_id = $1`,
        [event.id],
      );
      await deliver(early as string, {});
      await deliver(late as string, { status: 'SKIPPED' });
      await age(event, early as string, 1, 2 * HOUR);
      await age(event, late as string, 1, HOUR);
      const { completedAt } = await read(event);
      expect(Math.abs(Date.now() - HOUR * 1_000 - Date.parse(completedAt as string))).toBeLessThan(60_000);

      await deliver(late as string, { generation: 2, status: 'OPEN', replayId: uuidV7() });
      await expect(read(event)).resolves.toMatchObject({ status: 'DELIVERING', completedAt });
      await deliver(added as string, { status: 'FAILED', replayId: uuidV7() });
      await database.pool.query('delete from delivery_queue where event_id = $1', [event.id]);
      await database.pool.query(
        `update deliveries set status = 'DELIVERED', settled_at = now() where event_id = $1 and status = 'OPEN'`,
        [event.id],
      );
      await expect(read(event)).resolves.toMatchObject({ status: 'DLQ', completedAt });
    });

    it('is that of the handlers until they are done, also in a later generation', async () => {
      const event = await givenDelivered({ status: 'FAILED' });
      const outboxId = await givenEntry(database.pool, event, { generation: 2, status: 'PUBLISHED' });
      await givenState(database.pool, event, { status: 'DISPATCHED', generation: 2, outboxId, attempts: 0 });
      await expect(read(event)).resolves.toMatchObject({ status: 'PUBLISHED', completedAt: null });
    });
  });

  it('can be read with the newest delivery to each destination, and without older ones', async () => {
    const event = await givenEvent(database.pool);
    const [first, second] = [await givenDestinationRow(database.pool), await givenDestinationRow(database.pool)];
    const give = (destinationId: string, more: Partial<Parameters<typeof givenDelivery>[1]>) =>
      givenDelivery(database.pool, { eventId: event.id, destinationId, ...more });
    await give(second, { attempts: 2, lastReasonCode: 'HTTP_5XX', lastStatusCode: 503, dueInSeconds: 60 });
    await give(first, { status: 'FAILED', attempts: 10, exhausted: true, lastReasonCode: 'TIMEOUT' });
    await give(first, { generation: 2, status: 'DELIVERED', attempts: 1, lastStatusCode: 204 });
    expect(await listDeliveriesOf(database.pool, event.id)).toEqual([
      {
        ...{ destinationId: first, generation: 2, status: 'DELIVERED', attempts: 1, exhausted: false },
        ...{ lastReasonCode: null, lastStatusCode: 204, nextAttemptAt: null, deliveredAt: SOME_TIME },
      },
      {
        ...{ destinationId: second, generation: 1, status: 'RETRYING', attempts: 2, exhausted: false },
        ...{ lastReasonCode: 'HTTP_5XX', lastStatusCode: 503, nextAttemptAt: SOME_TIME, deliveredAt: null },
      },
    ]);
  });

  it('can be read with the attempts, oldest first', async () => {
    const event = await givenEvent(database.pool);
    await givenAttempt(database.pool, event, { status: 'RETRY', errorMessage: 'first' });
    await givenAttempt(database.pool, event, { status: 'RETRY', dispatchNo: 2, attemptNumber: 2 });
    await givenAttempt(database.pool, event, { dispatchNo: 3, attemptNumber: 3 });
    const attempts = await listAttempts(database.pool, event.id);
    expect(attempts).toMatchObject([
      { attemptNumber: 1, dispatch: 1, status: 'RETRY', reasonCode: 'HANDLER_ERROR', errorMessage: 'first' },
      { attemptNumber: 2, dispatch: 2, status: 'RETRY' },
      { attemptNumber: 3, dispatch: 3, status: 'SUCCESS', reasonCode: 'PROCESSED', createdAt: SOME_TIME },
    ]);
  });

  it('is one row per event, also after retries', async () => {
    await givenFailedEvent(database.pool, -5);
    const { rows } = await database.pool.query<{ statuses: string; events: string }>(
      `select (select count(*) from event_status) as statuses, (select count(*) from events) as events`,
    );
    expect(rows[0]?.statuses).toBe(rows[0]?.events);
  });
});
