import { countBackfillEvents, lockBackfill } from '../../../src/admin/replays/backfill.queries';
import { stepBackfill } from '../../../src/admin/replays/backfill-step';
import { inTransaction } from '../../../src/db/pool';
import { closeBacklogs } from '../../../src/delivery-state/close-destination.queries';
import type { Event } from '../../../src/event/event';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';
import { admin, type AuditPage, type ReplayProgress } from '../../support/admin';
import {
  deliveryRows,
  disable,
  givenDelivery,
  givenDestinationRow,
  givenTenantWithDestination,
  queueRows,
} from '../../support/deliveries';
import { expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { givenAttempt, givenEvents, setEntries } from '../../support/rows';

const RANGE = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
const UNKNOWN = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';

interface Started {
  accepted: boolean;
  replayId: string;
  actionId: string;
  mode: string;
  matched: number;
  dryRun: boolean;
}

describe('a backfill', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let tenantId: string;
  let destinationId: string;
  beforeEach(async () => {
    ({ tenantId, destinationId } = await givenTenantWithDestination(api.pool));
  });

  const givenDone = async (n: number, eventType = 'order.paid'): Promise<Event[]> => {
    const events: Event[] = [];
    for (let i = 0; i < n; i++) {
      const [event] = await givenEvents(api.pool, 1, { eventType, payload: { n: Math.random(), amount: i } }, tenantId);
      events.push(event as Event);
    }
    await setEntries(api.pool, events, 'PUBLISHED');
    for (const event of events) await givenAttempt(api.pool, event);
    return events;
  };
  const start = async (more: object = {}, headers = {}) => {
    const answer = await admin<Started>(
      api.url,
      `destinations/${destinationId}/backfill`,
      { ...RANGE, ...more },
      headers,
    );
    expect([answer.status, answer.text]).toEqual([202, answer.text]);
    return answer.body;
  };
  const step = (id: string): Promise<boolean> =>
    inTransaction(api.pool, async (db) => {
      const backfill = await lockBackfill(db, id);
      return backfill ? stepBackfill(db, backfill) : false;
    });
  const steps = async (id: string): Promise<void> => {
    for (let i = 0; i < 20 && (await step(id)); i++);
  };
  const progress = async (id: string) =>
    (await admin<ReplayProgress & { mode: string }>(api.url, `replays/${id}`)).body;
  const ofIt = async () => (await deliveryRows(api.pool)).filter((row) => row.destinationId === destinationId);
  const settleAll = async (): Promise<void> => {
    await api.pool.query('delete from delivery_queue where destination_id = $1', [destinationId]);
    await api.pool.query(
      `update deliveries set status = 'DELIVERED', settled_at = now() where destination_id = $1 and status = 'OPEN'`,
      [destinationId],
    );
  };

  it('delivers stored events to one destination, oldest first, and is followed as a replay', async () => {
    const events = await givenDone(12);
    const other = await givenDestinationRow(api.pool, { tenantId });
    const started = await start();
    expect(started).toMatchObject({ accepted: true, actionId: started.replayId, mode: 'backfill', matched: 12 });
    expect(await progress(started.replayId)).toMatchObject({
      status: 'RUNNING',
      matched: 12,
      progress: { pending: 12 },
    });
    await steps(started.replayId);
    expect(await ofIt()).toMatchObject(
      events.map(({ id }) => ({ eventId: id, generation: 1, status: 'OPEN', replayId: started.replayId })),
    );
    const queue = (await queueRows(api.pool)).filter((row) => row.destinationId === destinationId);
    const inOrder = queue.toSorted((a, b) => a.dueInSeconds - b.dueInSeconds);
    expect(inOrder.map(({ eventId }) => eventId)).toEqual(events.map(({ id }) => id));
    expect((await deliveryRows(api.pool)).filter((row) => row.destinationId === other)).toEqual([]);
    const under = await progress(started.replayId);
    expect(under).toMatchObject({ mode: 'backfill', status: 'RUNNING', progress: { pending: 0, dispatched: 12 } });
    await settleAll();
    await steps(started.replayId);
    expect(await progress(started.replayId)).toMatchObject({
      status: 'DONE',
      matched: 12,
      progress: { completed: 12 },
    });
    const action = await admin(api.url, `actions/${started.replayId}`);
    expect(action.body).toMatchObject({ action: 'destination.backfill', status: 'DONE', progress: { completed: 12 } });
    const listed = await admin<{ replays: object[] }>(api.url, 'replays?limit=1');
    expect(listed.body.replays).toMatchObject([{ replayId: started.replayId, mode: 'backfill', status: 'DONE' }]);
    const audit = (await admin<AuditPage>(api.url, 'audit?limit=1')).body.entries;
    expect(audit).toMatchObject([{ id: started.replayId, action: 'destination.backfill', counts: { matched: 12 } }]);
  });

  it('fills what was skipped or has failed, with a new generation, and leaves out what is delivered or open', async () => {
    const [skipped, failed, delivered, open] = await givenDone(4);
    await givenEvents(api.pool, 1, { payload: 'unprocessed' }, tenantId);
    for (const [event, status] of [
      [skipped, 'SKIPPED'],
      [failed, 'FAILED'],
      [delivered, 'DELIVERED'],
      [open, 'OPEN'],
    ] as const)
      await givenDelivery(api.pool, { eventId: event?.id ?? '', destinationId, tenantId, status });
    const { replayId, matched } = await start();
    expect(matched).toBe(5);
    await steps(replayId);
    const made = (await ofIt()).filter((row) => row.replayId !== null);
    expect(made).toMatchObject([
      { eventId: skipped?.id, generation: 2 },
      { eventId: failed?.id, generation: 2 },
    ]);
    expect(await progress(replayId)).toMatchObject({
      progress: { dispatched: 2, skipped: 3, pending: 0 },
      skippedByReason: { delivered: 1, delivering: 1, 'in-process': 1 },
    });
  });

  it('selects by time, by type, by the types and the filter of the destination, and up to `limit`', async () => {
    const [first] = await givenDone(3, 'order.paid');
    await givenDone(2, 'order.sent');
    await givenDone(2, 'sale.done');
    await api.pool.query(`update destinations set event_types = '{order.*}' where id = $1`, [destinationId]);
    expect(await start({ dryRun: true })).toMatchObject({ replayId: null, matched: 5, dryRun: true });
    expect(await start({ dryRun: true, type: 'order.s*' })).toMatchObject({ matched: 2 });
    expect(await start({ dryRun: true, to: '2021-01-01T00:00:00Z' })).toMatchObject({ matched: 0 });
    await expect(ofIt()).resolves.toEqual([]);
    const limited = await start({ limit: 1 });
    await steps(limited.replayId);
    expect(await ofIt()).toMatchObject([{ eventId: first?.id }]);
    await settleAll();
    await steps(limited.replayId);
    expect(await progress(limited.replayId)).toMatchObject({ status: 'DONE', matched: 1, progress: { completed: 1 } });
    await api.pool.query(`update destinations set filter = '{"payload":{"amount":{"$gte":1}}}' where id = $1`, [
      destinationId,
    ]);
    const { replayId } = await start({ type: 'order.paid' });
    await steps(replayId);
    expect(await progress(replayId)).toMatchObject({
      progress: { dispatched: 2 },
      skippedByReason: { filtered: 1 },
    });
  });

  it('spreads its deliveries at `ratePerSecond`, and makes few ahead of their time', async () => {
    await givenDone(30);
    const { replayId } = await start({ ratePerSecond: 2 });
    await steps(replayId);
    const due = (await queueRows(api.pool))
      .filter((row) => row.destinationId === destinationId)
      .map(({ dueInSeconds }) => dueInSeconds)
      .toSorted((a, b) => a - b);
    expect(due.length).toBeLessThan(25);
    for (const [i, at] of due.entries()) expect(at).toBeCloseTo((due[0] ?? 0) + i / 2, 1);
    expect(await progress(replayId)).toMatchObject({ status: 'RUNNING', progress: { dispatched: due.length } });
  });

  it('can be cancelled: what has not begun is not made', async () => {
    await givenDone(3);
    const { replayId } = await start();
    const cancelled = await admin<ReplayProgress>(api.url, `replays/${replayId}/cancel`, {});
    expect([cancelled.status, cancelled.body]).toMatchObject([
      202,
      { status: 'CANCELLED', progress: { cancelled: 3 } },
    ]);
    await steps(replayId);
    await expect(ofIt()).resolves.toEqual([]);
  });

  it('stops when its destination is disabled, and does not start while it is', async () => {
    await givenDone(2);
    const { replayId } = await start();
    await disable(api.pool, destinationId);
    await steps(replayId);
    expect(await progress(replayId)).toMatchObject({ status: 'CANCELLED', progress: { cancelled: 2 } });
    const path = `destinations/${destinationId}/backfill`;
    expectProblem(await admin(api.url, path, RANGE), 409, 'destination-disabled');
    expectProblem(await admin(api.url, `destinations/${UNKNOWN}/backfill`, RANGE), 404, 'destination-not-found');
    for (const wrong of [
      {},
      { ...RANGE, limit: 0 },
      { ...RANGE, ratePerSecond: 0 },
      { from: RANGE.to, to: RANGE.from },
    ])
      expectProblem(await admin(api.url, path, wrong), 400, 'invalid-request');
  });

  it('counts what became of its deliveries, also of those that an operator retries', async () => {
    const [delivered, failed, retried, open] = await givenDone(4);
    const { replayId } = await start();
    await steps(replayId);
    const settle = (id: string, status: string): Promise<unknown> =>
      api.pool.query(
        `with unqueued as (delete from delivery_queue where event_id = $1)
         update deliveries set status = $2, settled_at = now(), failed_at = case $2 when 'FAILED' then now() end
          where event_id = $1`,
        [id, status],
      );
    await settle(delivered!.id, 'DELIVERED');
    await settle(failed!.id, 'FAILED');
    await settle(retried!.id, 'FAILED');
    expect((await progress(replayId)).progress).toMatchObject({ dispatched: 1, completed: 1, deadLettered: 2 });
    await admin(api.url, 'deliveries/retry', { eventIds: [retried!.id] });
    expect((await progress(replayId)).progress).toMatchObject({ dispatched: 2, completed: 1, deadLettered: 1 });
    await settle(retried!.id, 'DELIVERED');
    await disable(api.pool, destinationId);
    await closeBacklogs(api.pool, 100);
    expect(await progress(replayId)).toMatchObject({
      progress: { dispatched: 0, completed: 2, deadLettered: 1, skipped: 1 },
      skippedByReason: { closed: 1 },
    });
    expect((await ofIt()).find(({ eventId }) => eventId === open!.id)).toMatchObject({ status: 'SKIPPED' });
  });

  it('counts at most as many events as it may read', async () => {
    await givenDone(2, 'order.sent');
    await givenDone(3, 'order.paid');
    const range = { tenantId, position: uuidV7Floor(0), below: uuidV7() };
    const counted = (most: number, mostRead: number, type: string | null = 'order.paid') =>
      countBackfillEvents(api.pool, range, { types: ['order.*'], type, most, mostRead });
    await expect(counted(10, 10)).resolves.toEqual({ matched: 3, more: false });
    await expect(counted(3, 5)).resolves.toEqual({ matched: 3, more: false });
    await expect(counted(2, 5)).resolves.toEqual({ matched: 2, more: true });
    await expect(counted(10, 4)).resolves.toEqual({ matched: 2, more: true });
    await expect(counted(10, 2)).resolves.toEqual({ matched: 0, more: true });
    await expect(counted(10, 5, null)).resolves.toEqual({ matched: 5, more: false });
  });

  it('starts once for each idempotency key', async () => {
    await givenDone(1);
    const first = await start({}, { 'idempotency-key': tenantId });
    await expect(start({}, { 'idempotency-key': tenantId })).resolves.toEqual(first);
    await disable(api.pool, destinationId);
    await expect(start({}, { 'idempotency-key': tenantId })).resolves.toEqual(first);
    const path = `destinations/${destinationId}/backfill`;
    expectProblem(await admin(api.url, path, { ...RANGE, dryRun: true }), 409, 'destination-disabled');
  });
});
