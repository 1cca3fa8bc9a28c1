import { assessForDestination } from '../../../src/admin/replays/destination-replay.queries';
import { insertReplay, lockReplay } from '../../../src/admin/replays/replay.queries';
import { insertReplayEvents } from '../../../src/admin/replays/replay-events.queries';
import { readProgressOf } from '../../../src/admin/replays/replay-progress';
import { stepReplay } from '../../../src/admin/replays/replay-step';
import { inTransaction } from '../../../src/db/pool';
import { assessForReplay, type ReplayMode } from '../../../src/event-state/dispatch-replayed.queries';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import {
  deliveryRows,
  disable,
  givenDelivery,
  givenDestinationRow,
  queueRows,
  type DeliveryRow,
} from '../../support/deliveries';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { attemptRows, countRows, givenAttempt, givenEvent, outboxRows, setEntries } from '../../support/rows';

describe('a replay of events with deliveries', () => {
  const database = useDatabase();
  let destinationId: string;
  let event: Event;
  beforeEach(async () => {
    await removeEvents(database.pool);
    await database.pool.query('truncate deliveries, delivery_queue, destinations, replays, replay_events');
    destinationId = await givenDestinationRow(database.pool);
    event = await givenCompleted();
  });

  async function givenCompleted(): Promise<Event> {
    const completed = await givenEvent(database.pool);
    await setEntries(database.pool, [completed], 'PUBLISHED');
    await givenAttempt(database.pool, completed);
    return completed;
  }

  async function replay(mode: ReplayMode, ids: string[], filter = {}): Promise<string> {
    const id = uuidV7();
    const fields = { id, mode, filter, matched: ids.length, more: false, requestedBy: 'test', correlationId: 'c-1' };
    await insertReplay(database.pool, fields);
    await insertReplayEvents(database.pool, id, ids);
    await inTransaction(database.pool, async (db) => {
      const locked = await lockReplay(db, id);
      if (!locked) throw new Error('no such replay');
      await stepReplay(db, locked, 100);
    });
    return id;
  }

  const reasonOf = async (discardedToo = false): Promise<string | null | undefined> =>
    (await assessForReplay(database.pool, { ids: [event.id], discardedToo, ownReplay: null }))[0]?.reason;
  const statuses = async () =>
    (await deliveryRows(database.pool)).map(({ generation, status }) => [generation, status]);

  it('republish opens the failed deliveries of an event whose handlers are done, and no others', async () => {
    const other = await givenDestinationRow(database.pool);
    const discarded = await givenDestinationRow(database.pool);
    await givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'FAILED', attempts: 10, tries: 10 });
    await givenDelivery(database.pool, { eventId: event.id, destinationId: other, status: 'DELIVERED', attempts: 1 });
    await givenDelivery(database.pool, { eventId: event.id, destinationId: discarded, status: 'DISCARDED' });
    const untouched = await givenCompleted();
    await givenDelivery(database.pool, { eventId: untouched.id, destinationId, status: 'FAILED' });
    await replay('republish', [event.id]);
    const rows = (await deliveryRows(database.pool)).filter(({ eventId }) => eventId === event.id);
    const byDestination = new Map(rows.map((row) => [row.destinationId, row]));
    expect(byDestination.get(destinationId)).toMatchObject({ status: 'OPEN', attempts: 10, tries: 0, failedAt: null });
    expect(byDestination.get(other)).toMatchObject({ status: 'DELIVERED' });
    expect(byDestination.get(discarded)).toMatchObject({ status: 'DISCARDED' });
    await expect(queueRows(database.pool)).resolves.toMatchObject([{ eventId: event.id, destinationId, lease: null }]);
  });

  it('republish leaves a failed delivery alone that a newer generation has replaced', async () => {
    await givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'FAILED' });
    await givenDelivery(database.pool, { eventId: event.id, destinationId, generation: 2, status: 'DELIVERED' });
    await replay('republish', [event.id]);
    await expect(statuses()).resolves.toEqual([
      [1, 'FAILED'],
      [2, 'DELIVERED'],
    ]);
  });

  it('republish leaves the deliveries of a disabled destination alone', async () => {
    await givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'FAILED' });
    await disable(database.pool, destinationId);
    await replay('republish', [event.id]);
    await expect(statuses()).resolves.toEqual([[1, 'FAILED']]);
  });

  it('reprocess leaves the deliveries as they are: settling the event again makes new ones', async () => {
    await givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'FAILED' });
    await replay('reprocess', [event.id]);
    await expect(statuses()).resolves.toEqual([[1, 'FAILED']]);
    expect((await outboxRows(database.pool, event)).at(-1)).toMatchObject({ generation: 2, destination: 'retry' });
  });

  it.each([
    ['is open', { status: 'OPEN' as const }, 'in-process'],
    ['waits for its next try', { status: 'OPEN' as const, attempts: 1, dueInSeconds: 60 }, 'awaiting-retry'],
    ['was discarded', { status: 'DISCARDED' as const }, 'discarded'],
    ['has failed', { status: 'FAILED' as const }, null],
    ['has arrived', { status: 'DELIVERED' as const }, null],
  ])('an event whose delivery %s: %j, skipped as %s', async (_, delivery, reason) => {
    await givenDelivery(database.pool, { eventId: event.id, destinationId, ...delivery });
    await expect(reasonOf()).resolves.toBe(reason);
  });

  it('takes an event whose delivery was discarded where the filter asks for such events', async () => {
    await givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'DISCARDED' });
    await expect(reasonOf(true)).resolves.toBeNull();
  });

  describe('to one destination', () => {
    let other: string;
    beforeEach(async () => {
      other = await givenDestinationRow(database.pool);
    });

    /** What became of the replay: nothing may reach the handlers or the other destination. */
    const toIt = async (mode: ReplayMode, ids: string[], more = {}) => {
      const filter = { destinationId, ...more };
      const question = { ids, destinationId, mode, discardedToo: 'eventIds' in more, ownReplay: null };
      const foreseen = await assessForDestination(database.pool, question);
      const before = await deliveryRows(database.pool);
      const entries = await countRows(database.pool, 'outbox');
      const id = await replay(mode, ids, filter);
      const isOther = (row: DeliveryRow): boolean => row.destinationId !== destinationId;
      expect((await deliveryRows(database.pool)).filter(isOther)).toEqual(before.filter(isOther));
      expect((await queueRows(database.pool)).filter((row) => row.destinationId !== destinationId)).toEqual([]);
      expect(await countRows(database.pool, 'outbox')).toBe(entries);
      const result = await readProgressOf(database.pool, id);
      expect(result.progress.completed).toBe(foreseen.filter(({ reason }) => reason === null).length);
      expect(result.progress.skipped).toBe(foreseen.filter(({ reason }) => reason !== null).length);
      const state = await database.pool.query('select from event_state where status <> $1', ['COMPLETED']);
      expect(state.rowCount).toBe(0);
      expect(await attemptRows(database.pool, event)).toHaveLength(1);
      return { id, ...result };
    };

    it('reprocess makes one new delivery of an event that has arrived', async () => {
      for (const to of [destinationId, other])
        await givenDelivery(database.pool, { eventId: event.id, destinationId: to, status: 'DELIVERED' });
      const { id, progress } = await toIt('reprocess', [event.id]);
      expect(progress).toMatchObject({ completed: 1, dispatched: 0, pending: 0 });
      const made = (await deliveryRows(database.pool)).filter((row) => row.destinationId === destinationId);
      expect(made).toMatchObject([
        { generation: 1, status: 'DELIVERED', replayId: null },
        { generation: 2, status: 'OPEN', replayId: id },
      ]);
      const [queued] = await queueRows(database.pool);
      expect(queued?.dueInSeconds).toBeLessThanOrEqual(0);
    });

    it('republish opens its failed delivery only', async () => {
      const arrived = await givenCompleted();
      for (const to of [destinationId, other])
        await givenDelivery(database.pool, { eventId: event.id, destinationId: to, status: 'FAILED', attempts: 3 });
      await givenDelivery(database.pool, { eventId: arrived.id, destinationId, status: 'DELIVERED' });
      const { skippedByReason } = await toIt('republish', [event.id, arrived.id]);
      expect(skippedByReason).toEqual({ 'not-failed': 1 });
      await expect(queueRows(database.pool)).resolves.toMatchObject([
        { eventId: event.id, destinationId, generation: 1 },
      ]);
    });

    it('skips events that are with their handlers, or on their way to it', async () => {
      const unprocessed = await givenEvent(database.pool);
      await givenDelivery(database.pool, { eventId: event.id, destinationId, lease: null });
      await database.pool.query('delete from delivery_queue');
      for (const mode of ['reprocess', 'republish'] as const) {
        const { skippedByReason } = await toIt(mode, [event.id, unprocessed.id]);
        expect(skippedByReason).toEqual({ delivering: 1, 'handlers-not-done': 1 });
      }
    });

    it('sends discarded ones where the filter asks for them, and nothing to a disabled destination', async () => {
      await givenDelivery(database.pool, { eventId: event.id, destinationId, status: 'DISCARDED' });
      expect((await toIt('reprocess', [event.id])).skippedByReason).toEqual({ discarded: 1 });
      await disable(database.pool, destinationId);
      const named = { eventIds: [event.id] };
      expect((await toIt('reprocess', [event.id], named)).skippedByReason).toEqual({ 'destination-disabled': 1 });
      await database.pool.query('update destinations set enabled = true');
      expect((await toIt('reprocess', [event.id], named)).progress).toMatchObject({ completed: 1 });
    });
  });
});
