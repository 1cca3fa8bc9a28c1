import type { Event } from '../../../src/event/event';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import type { UnfinishedResult } from '../../../src/worker/handler';
import { eventually } from '../../support/eventually';
import { transactional } from '../../support/handlers';
import { attemptRows, countRows, delivered, givenEvent, stateRow } from '../../support/rows';
import { settlerOf, WorkerDatabase } from '../../support/settler';

const RETRY: UnfinishedResult = { kind: 'retry', reasonCode: 'HTTP_5XX' };

/** I11 where looking once is not enough: the event moves on after the first look, while the settle transaction runs. */
describe('the settler, overtaken in the middle of its transaction', () => {
  const database = new WorkerDatabase();

  /**
   * A worker whose first handler fails every event, and says how often it was called. That rolls the first pass back; the
   * second handler does `meanwhile` in the next one, which records the failure.
   */
  const failingWorker = (meanwhile: () => Promise<unknown> = () => Promise.resolve()) => {
    const worker = { calls: 0 };
    const failing = transactional('failing', ['*'], async (events) => {
      worker.calls += 1;
      return new Map(events.map(({ id }) => [id, RETRY]));
    });
    const later = transactional('later', ['*'], async () => void (await meanwhile()));
    const settler = settlerOf(database.pool, [failing, later]);
    return Object.assign(worker, { settle: (event: Event) => settler.settle([delivered(event)]) });
  };

  const oneWaits = (): Promise<void> =>
    eventually(async () => {
      const waiting = `pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      expect(await countRows(database.pool, waiting)).toBe(1);
    });

  it('I11: does not run a dispatch that failed in another worker while it waited for that worker', async () => {
    const event = await givenEvent(database.pool);
    const late = failingWorker();
    let settledLate: Promise<void> | undefined;
    const first = failingWorker(async () => {
      settledLate ??= late.settle(event); // waits for the attempt that is open here
      await oneWaits();
    });
    await first.settle(event);
    await settledLate;
    expect([first.calls, late.calls]).toEqual([1, 0]);
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'RETRY', dispatchNo: 1 }]);
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'RETRYING', dispatchNo: 2 });
  });

  it('I11: records no failure of a dispatch that the reconciler has replaced meanwhile', async () => {
    const event = await givenEvent(database.pool);
    const lost = { eventId: event.id, dispatchNo: 1, generation: 1 };
    const worker = failingWorker(() => dispatchLost(database.pool, [lost]));
    await worker.settle(event);
    await expect(attemptRows(database.pool, event)).resolves.toEqual([]);
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'DISPATCHED', dispatchNo: 2 });
    await expect(countRows(database.pool, `retry_schedule where event_id = '${event.id}'`)).resolves.toBe(0);
  });
});
