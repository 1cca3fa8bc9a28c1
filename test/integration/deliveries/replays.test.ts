import { insertReplay, lockReplay } from '../../../src/admin/replays/replay.queries';
import { insertReplayEvents } from '../../../src/admin/replays/replay-events.queries';
import { stepReplay } from '../../../src/admin/replays/replay-step';
import { inTransaction } from '../../../src/db/pool';
import { assessForReplay, type ReplayMode } from '../../../src/event-state/dispatch-replayed.queries';
import type { Event } from '../../../src/event/event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { deliveryRows, disable, givenDelivery, givenDestinationRow, queueRows } from '../../support/deliveries';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { givenAttempt, givenEvent, outboxRows, setEntries } from '../../support/rows';

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

  async function replay(mode: ReplayMode, ids: string[]): Promise<void> {
    const id = uuidV7();
    const filter = {};
    const fields = { id, mode, filter, matched: ids.length, more: false, requestedBy: 'test', correlationId: 'c-1' };
    await insertReplay(database.pool, fields);
    await insertReplayEvents(database.pool, id, ids);
    await inTransaction(database.pool, async (db) => {
      const locked = await lockReplay(db, id);
      if (!locked) throw new Error('no such replay');
      await stepReplay(db, locked, 100);
    });
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
});
