import type { Event } from '../../../src/event/event';
import { findEventById, listAttempts, type EventWithStatus } from '../../../src/ingest/event-reader.queries';
import { createTestDatabase, type TestDatabase } from '../../support/database';
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
