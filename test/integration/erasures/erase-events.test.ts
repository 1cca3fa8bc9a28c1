import { randomUUID } from 'node:crypto';
import { countOnly, eraseAs } from '../../../src/admin/erasures/erasure-acts';
import { inTransaction } from '../../../src/db/pool';
import { fillDeliveries } from '../../../src/delivery-state/fill-deliveries.queries';
import { reopenDeliveries } from '../../../src/delivery-state/reopen-deliveries.queries';
import type { EndedAttempt } from '../../../src/delivery-state/settle-deliveries.queries';
import { settleWithHealth, type SettledAttempts } from '../../../src/delivery-state/settle-with-health';
import { discardDeadLetters } from '../../../src/event-state/discard-dead-letters.queries';
import { assessForReplay } from '../../../src/event-state/dispatch-replayed.queries';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import type { Handler } from '../../../src/worker/handler';
import { givenDeadLetters } from '../../support/admin';
import { eventually } from '../../support/eventually';
import { tablesWith } from '../../support/everything-stored';
import { useDatabase } from '../../support/fixtures/database';
import { transactional } from '../../support/handlers';
import { givenQueued, givenReceiver } from '../../support/queued-deliveries';
import {
  attemptRows,
  delivered,
  givenAttempt,
  givenEvent,
  givenFailedEvent,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';
import { settlerOf } from '../../support/settler';

const SECRET = 'Ada Lovelace, 4 St James’s Square';

describe('an erasure of events', () => {
  const database = useDatabase();

  const given = (): Promise<Event> =>
    givenEvent(database.pool, { payload: { name: SECRET }, eventType: `secret.${uuidV7()}` });
  const givenCompleted = async (): Promise<Event> => {
    const event = await given();
    await setEntries(database.pool, [event], 'PUBLISHED');
    await givenAttempt(database.pool, event);
    return event;
  };
  const erase = (...events: Event[]) =>
    inTransaction(database.pool, (db) =>
      eraseAs(uuidV7()).events(
        db,
        events.map(({ id }) => id),
      ),
    );
  const statusOf = async ({ id }: Event): Promise<string | undefined> => {
    const { rows } = await database.pool.query<{ status: string }>(
      'select status from event_status where event_id = $1',
      [id],
    );
    return rows[0]?.status;
  };
  const deliveriesOf = async ({ id }: Event): Promise<object[]> => {
    const { rows } = await database.pool.query<object>(
      `select status, last_reason_code as reason, last_error as error,
              exists (select from delivery_queue q where q.event_id = d.event_id) as queued
         from deliveries d where event_id = $1`,
      [id],
    );
    return rows;
  };
  const outcome = (event: Event, destinationId: string, lease: string): EndedAttempt => ({
    ...{ eventId: event.id, destinationId, generation: 1, lease, status: 'FAILED', usesTry: true, exhausted: true },
    ...{
      waitSeconds: 0,
      reasonCode: 'HTTP_5XX',
      statusCode: 500,
      error: SECRET,
      durationMs: 1,
      responseExcerpt: SECRET,
    },
  });

  /** Settles an attempt that failed, as a worker does. */
  const settled = (attempt: EndedAttempt): Promise<SettledAttempts> =>
    inTransaction(database.pool, (db) => {
      const { eventId, destinationId, generation, reasonCode, statusCode, error } = attempt;
      const failure = { eventId, destinationId, generation, effect: 'same' as const, reasonCode, statusCode, error };
      return settleWithHealth(db, [attempt], { failures: [failure], succeeded: [] }, 'test');
    });
  const someoneWaits = (): Promise<void> =>
    eventually(async () => {
      const { rows } = await database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows.length).toBeGreaterThan(0);
    });
  const failureOf = async (destinationId: string): Promise<object[]> => {
    const { rows } = await database.pool.query<object>(
      'select last_reason_code as reason, last_error as error from destination_failures where destination_id = $1',
      [destinationId],
    );
    return rows;
  };

  it('removes the payload and leaves the facts, the hash and the keys', async () => {
    const event = await givenCompleted();
    const of = 'select id, hash, subject, size_bytes, event_id from events where id = $1';
    const before = await database.pool.query(of, [event.id]);
    const keys = await database.pool.query('select count(*) from idempotency_keys');
    await expect(erase(event)).resolves.toMatchObject({ events: 1, discarded: 0 });
    expect((await database.pool.query(of, [event.id])).rows).toEqual(before.rows);
    expect((await database.pool.query('select count(*) from idempotency_keys')).rows).toEqual(keys.rows);
    const { rows } = await database.pool.query<{ payload: string; erased: boolean }>(
      'select payload, erased_at is not null as erased from events where id = $1',
      [event.id],
    );
    expect(rows).toEqual([{ payload: 'null', erased: true }]);
    await expect(statusOf(event)).resolves.toBe('COMPLETED');
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('discards what was not processed, and counts beforehand what it then does', async () => {
    const received = await given();
    const retrying = await givenFailedEvent(database.pool, -1);
    const [dead] = await givenDeadLetters(database.pool, 1, { message: () => SECRET });
    const events = [received, retrying, dead as Event];
    const counted = await countOnly().events(
      database.pool,
      events.map(({ id }) => id),
    );
    const done = await erase(...events);
    expect(done).toEqual(counted);
    expect(done).toMatchObject({ events: 3, discarded: 3, texts: 2 });
    for (const event of events) await expect(statusOf(event)).resolves.toBe('DISCARDED');
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(0);
    for (const event of events)
      expect(await attemptRows(database.pool, event)).not.toContainEqual({ status: 'SUCCESS' });
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('skips its deliveries for good, and replaces the texts of receivers', async () => {
    const event = await givenCompleted();
    const open = await givenReceiver(database.pool);
    const failed = await givenReceiver(database.pool);
    await givenQueued(database.pool, open, [event]);
    const lease = randomUUID();
    await givenQueued(database.pool, failed, [event], { lease, dueInSeconds: 60 });
    await expect(settled(outcome(event, failed, lease))).resolves.toMatchObject({ settled: [{ attemptNumber: 1 }] });
    await expect(failureOf(failed)).resolves.toEqual([{ reason: 'HTTP_5XX', error: SECRET }]);
    const counted = await countOnly().events(database.pool, [event.id]);
    await expect(erase(event)).resolves.toEqual(counted);
    expect(counted).toMatchObject({ deliveries: 2, texts: 2 });
    await expect(deliveriesOf(event)).resolves.toEqual([
      expect.objectContaining({ status: 'SKIPPED', reason: 'ERASED', queued: false }),
      expect.objectContaining({ status: 'SKIPPED', reason: 'ERASED', queued: false }),
    ]);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});

    const key = { eventId: event.id, destinationId: failed, generation: 1 };
    await expect(reopenDeliveries(database.pool, [key])).resolves.toEqual([]);
    const order = { replayId: uuidV7(), destinationId: open, eventIds: [event.id], dueAt: null, ratePerSecond: 1 };
    const filled = inTransaction(database.pool, (db) => fillDeliveries(db, { ...order, deliveredToo: true }));
    await expect(filled).resolves.toEqual([{ eventId: event.id, reason: 'erased' }]);
    const question = { ids: [event.id], discardedToo: true, ownReplay: null };
    await expect(assessForReplay(database.pool, question)).resolves.toMatchObject([{ reason: 'erased' }]);
  });

  it('makes a worker that settles at the same time wait, and then write no message', async () => {
    const event = await givenCompleted();
    const receiver = await givenReceiver(database.pool);
    const lease = randomUUID();
    await givenQueued(database.pool, receiver, [event], { lease, dueInSeconds: 60 });
    let settling: Promise<SettledAttempts> | undefined;
    await inTransaction(database.pool, async (db) => {
      await eraseAs(uuidV7()).events(db, [event.id]);
      settling = settled(outcome(event, receiver, lease));
      await someoneWaits();
    });
    await expect(settling).resolves.toMatchObject({ settled: [] });
    await expect(failureOf(receiver)).resolves.toEqual([{ reason: 'HTTP_5XX', error: null }]);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('waits for a worker that is settling an attempt, and then removes the message of its destination', async () => {
    const event = await givenCompleted();
    const receiver = await givenReceiver(database.pool);
    const lease = randomUUID();
    await givenQueued(database.pool, receiver, [event], { lease, dueInSeconds: 60 });
    const attempt = outcome(event, receiver, lease);
    let erasing: Promise<unknown> | undefined;
    await inTransaction(database.pool, async (db) => {
      const failure = { ...attempt, effect: 'same' as const };
      await settleWithHealth(db, [attempt], { failures: [failure], succeeded: [] }, 'test');
      erasing = erase(event);
      await someoneWaits();
    });
    await expect(erasing).resolves.toMatchObject({ events: 1, deliveries: 1 });
    await expect(failureOf(receiver)).resolves.toEqual([{ reason: 'HTTP_5XX', error: '[erased]' }]);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('replaces the note with which an operator discarded its dead letter, and that of no other one', async () => {
    const letters = await givenDeadLetters(database.pool, 2, { message: () => 'cannot be metered' });
    const [event, other] = letters as [Event, Event];
    await discardDeadLetters(database.pool, [event.id, other.id], `a test of ${SECRET}`);
    const counted = await countOnly().events(database.pool, [event.id]);
    expect(counted).toMatchObject({ texts: 2 });
    await expect(erase(event)).resolves.toEqual(counted);
    const noteOf = async ({ id }: Event): Promise<object[]> =>
      (await database.pool.query<object>('select note from dead_letters where event_id = $1', [id])).rows;
    await expect(noteOf(event)).resolves.toEqual([{ note: '[erased]' }]);
    await expect(noteOf(other)).resolves.toEqual([{ note: `a test of ${SECRET}` }]);
    await erase(other);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it('takes the lease from a worker that is sending the event, which then writes nothing', async () => {
    const event = await givenCompleted();
    const receiver = await givenReceiver(database.pool);
    const lease = randomUUID();
    await givenQueued(database.pool, receiver, [event], { lease, dueInSeconds: 60 });
    await erase(event);
    await expect(settled(outcome(event, receiver, lease))).resolves.toMatchObject({ settled: [] });
    await expect(failureOf(receiver)).resolves.toEqual([{ reason: 'HTTP_5XX', error: null }]);
    await expect(deliveriesOf(event)).resolves.toMatchObject([{ status: 'SKIPPED', error: null }]);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  const failing: Handler = transactional('failing', ['*'], (events) =>
    Promise.resolve(
      new Map(events.map(({ id }) => [id, { kind: 'dead-letter', reasonCode: 'INVALID_PAYLOAD', message: SECRET }])),
    ),
  );

  it('makes the message that a worker holds stale: its handlers do not run', async () => {
    const event = await given();
    await setEntries(database.pool, [event], 'PUBLISHED');
    await erase(event);
    let ran = 0;
    const counting = transactional('counting', ['*'], () => {
      ran += 1;
      return Promise.resolve();
    });
    await settlerOf(database.pool, [counting, failing]).settle([delivered(event)]);
    expect(ran).toBe(0);
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'DISCARDED', lastError: null });
    expect(await outboxRows(database.pool, event)).toHaveLength(1);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });

  it.each([
    ['completes', 'COMPLETED', []],
    ['fails', 'DISCARDED', [failing]],
  ])('waits for the transaction of a worker that %s the event: it is then %s', async (_, status, more: Handler[]) => {
    const event = await given();
    await setEntries(database.pool, [event], 'PUBLISHED');
    let erasing: Promise<unknown> | undefined;
    const slow = transactional('slow', ['*'], async () => {
      erasing ??= erase(event);
      // The erasure waits for the attempt that this transaction has opened.
      await someoneWaits();
    });
    await settlerOf(database.pool, [slow, ...more]).settle([delivered(event)]);
    await expect(erasing).resolves.toMatchObject({ events: 1, discarded: more.length });
    await expect(statusOf(event)).resolves.toBe(status);
    await expect(tablesWith(database.pool, SECRET)).resolves.toEqual({});
  });
});
