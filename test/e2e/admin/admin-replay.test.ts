import { ReplayLoop } from '../../../src/admin/replays/replay-loop';
import {
  admin,
  givenCompleted,
  givenDeadLetters,
  type AuditPage,
  type ReplayProgress,
  type ReplayStarted,
} from '../../support/admin';
import { startTestApp } from '../../support/app';
import { deliveryRows, givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { useApp } from '../../support/fixtures/app';
import { expectProblem, getEvent, usageOf } from '../../support/e2e-http';
import { statusCounts } from '../../support/processes/e2e-cluster';
import { eventually } from '../../support/eventually';
import {
  attemptRows,
  countRows,
  givenAttempt,
  givenEvents,
  givenFailedEvent,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';
import { createPool } from '../../../src/db/pool';
import { WakeUp } from '../../../src/redis/wake-up';

describe('a replay', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const start = async (body: object) => {
    const answer = await admin<ReplayStarted>(api.url, 'replay', body);
    expect(answer.status).toBe(202);
    return answer.body;
  };
  const progress = async (id: string) => (await admin<ReplayProgress>(api.url, `replays/${id}`)).body;
  /** Publisher and worker until `done` holds. */
  const withBackend = async (done: () => Promise<void>): Promise<void> => {
    const backend = await startTestApp(api.databaseUrl, { APP_ROLE: 'publisher,worker' });
    try {
      await eventually(done);
    } finally {
      await backend.close();
    }
  };
  const finished = (id: string, expected: object) => async () =>
    expect(await progress(id)).toMatchObject({ status: 'DONE', ...expected });

  it('shows in a dry run what it would do and changes nothing', async () => {
    const tenantId = 'dry';
    const events = await givenCompleted(api.pool, 3, tenantId);
    await givenEvents(api.pool, 2, {}, tenantId); // in the outbox
    const audited = (await admin<AuditPage>(api.url, 'audit')).body.entries.length;
    const answer = await start({ tenantId, mode: 'reprocess', dryRun: true, limit: 5 });
    expect(answer).toMatchObject({ accepted: true, replayId: null, matched: 5, replayed: 0, skipped: 2, dryRun: true });
    expect(answer.preview).toMatchObject({
      wouldReplay: 3,
      skippedByReason: { 'in-outbox': 2 },
      byType: { 'order.paid': 3 },
      oldest: events[0]?.receivedAt,
      newest: events[2]?.receivedAt,
      sampleEventIds: events.map(({ id }) => id).reverse(),
      more: false,
    });
    expect((await start({ tenantId, mode: 'reprocess', dryRun: true, limit: 4 })).preview?.more).toBe(true);
    expect(await countRows(api.pool, 'replays')).toBe(0);
    expect(await countRows(api.pool, `outbox where destination = 'retry'`)).toBe(0);
    expect((await admin<AuditPage>(api.url, 'audit')).body.entries).toHaveLength(audited);
  });

  it('I12: reprocesses as a new generation, with the effects once more, and keeps the history', async () => {
    const tenantId = 'reprocessed';
    const [event] = await givenCompleted(api.pool, 1, tenantId);
    const { replayId, replayed } = await start({ tenantId, mode: 'reprocess' });
    expect(replayed).toBe(1);
    expect(await stateRow(api.pool, event!)).toMatchObject({ status: 'DISPATCHED', generation: 2, dispatchNo: 2 });
    expect(await outboxRows(api.pool, event)).toMatchObject([
      { destination: 'main' },
      { destination: 'retry', generation: 2, dispatchNo: 2 },
    ]);
    await withBackend(finished(replayId, { progress: { completed: 1 } }));
    expect(await usageOf(api.url, tenantId)).toBe(1); // the first processing was the factory's, without a handler
    expect(await attemptRows(api.pool, event!)).toMatchObject([
      { status: 'SUCCESS', generation: 1, dispatchNo: 1 },
      { status: 'SUCCESS', generation: 2, dispatchNo: 2, attemptNumber: 1 },
    ]);
    const { body } = await getEvent(api.url, tenantId, event!.id);
    expect(body).toMatchObject({ status: 'COMPLETED', replays: [{ replayId, mode: 'reprocess' }] });
  });

  it('republishes only the message, without a second effect, and the event stays COMPLETED', async () => {
    const tenantId = 'republished';
    const [event] = await givenCompleted(api.pool, 1, tenantId);
    const { replayId } = await start({ tenantId, mode: 'republish' });
    expect((await getEvent(api.url, tenantId, event!.id)).body.status).toBe('COMPLETED');
    await withBackend(finished(replayId, { progress: { completed: 1 } }));
    expect(await outboxRows(api.pool, event)).toMatchObject([
      { dispatchNo: 1 },
      { status: 'PUBLISHED', destination: 'retry', generation: 1, dispatchNo: 2 },
    ]);
    expect(await usageOf(api.url, tenantId)).toBe(0);
    expect(await attemptRows(api.pool, event!)).toHaveLength(1);
    expect(await stateRow(api.pool, event!)).toMatchObject({ status: 'COMPLETED', generation: 1, dispatchNo: 2 });
  });

  it('to one destination does in earnest what a dry run has shown', async () => {
    const tenantId = 'one-destination';
    const [arrived, failed] = await givenCompleted(api.pool, 2, tenantId);
    const [destinationId, other] = [
      await givenDestinationRow(api.pool, { tenantId }),
      await givenDestinationRow(api.pool, { tenantId }),
    ];
    for (const to of [destinationId, other]) {
      await givenDelivery(api.pool, { eventId: arrived!.id, destinationId: to, tenantId, status: 'DELIVERED' });
      await givenDelivery(api.pool, { eventId: failed!.id, destinationId: to, tenantId, status: 'FAILED' });
    }
    const filter = { tenantId, destinationId, mode: 'republish' };
    const dry = await start({ ...filter, dryRun: true });
    expect(dry).toMatchObject({
      matched: 2,
      skipped: 1,
      preview: { wouldReplay: 1, skippedByReason: { 'not-failed': 1 } },
    });
    const { replayId, replayed, skipped } = await start(filter);
    expect([replayed, skipped]).toEqual([1, 1]);
    expect(await progress(replayId)).toMatchObject({ status: 'DONE', skippedByReason: { 'not-failed': 1 } });
    const open = (await deliveryRows(api.pool)).filter((row) => row.tenantId === tenantId && row.status === 'OPEN');
    expect(open).toMatchObject([{ eventId: failed!.id, destinationId }]);
    expect(await stateRow(api.pool, failed!)).toBeUndefined();
  });

  it('skips events in flight and reports why', async () => {
    const tenantId = 'busy';
    await givenEvents(api.pool, 1, {}, tenantId);
    const published = await givenEvents(api.pool, 2, {}, tenantId);
    await setEntries(api.pool, published, 'PUBLISHED');
    const failed = await givenFailedEvent(api.pool, 3_600); // of acme
    const [discarded] = await givenDeadLetters(api.pool, 1, { tenantId });
    await admin(api.url, 'dlq/discard', { tenantId });
    const first = await start({ tenantId, mode: 'reprocess' });
    expect(first).toMatchObject({ matched: 4, replayed: 0, skipped: 4 });
    expect((await progress(first.replayId)).skippedByReason).toEqual({ 'in-outbox': 1, 'in-process': 2, discarded: 1 });
    const ofAcme = await start({ tenantId: 'acme', eventIds: [failed.id], mode: 'reprocess' });
    expect((await progress(ofAcme.replayId)).skippedByReason).toEqual({ 'awaiting-retry': 1 });
    const meant = await start({ tenantId, eventIds: [discarded!.id], mode: 'reprocess' });
    expect(meant.replayed).toBe(1);
  });

  it('of all tenants needs "all": true, and is recorded with its note', async () => {
    const mode = 'republish';
    for (const body of [{ mode }, { mode, all: false }, { mode, limit: 1 }, { mode, status: 'COMPLETED' }])
      expectProblem(await admin(api.url, 'replay', body), 400, 'invalid-request');
    expectProblem(await admin(api.url, 'replay', { mode, all: true, tenantId: 'any' }), 400, 'invalid-request');
    const [a] = await givenCompleted(api.pool, 1, 'all-a');
    const [b] = await givenCompleted(api.pool, 1, 'all-b');
    const { replayId, matched } = await start({ mode, all: true, limit: 2, note: 'the new consumer' });
    expect(matched).toBe(2);
    for (const event of [a, b]) expect(await outboxRows(api.pool, event)).toHaveLength(2);
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=1')).body;
    expect(entries).toMatchObject([{ filter: { all: true, mode, replayId }, note: 'the new consumer' }]);
  });

  it('acts on one event for each of its eventIds, the one that GET returns', async () => {
    const tenantId = 'chained';
    const [first] = await givenCompleted(api.pool, 1, tenantId);
    const [second] = await givenEvents(api.pool, 1, { eventId: first!.id }, tenantId);
    await setEntries(api.pool, [second!], 'PUBLISHED');
    await givenAttempt(api.pool, second!);
    const eventIds = [first!.id.toUpperCase(), 'unknown'];
    const { matched, replayId } = await start({ tenantId, eventIds, mode: 'republish' });
    expect(matched).toBe(1);
    expect((await getEvent(api.url, tenantId, first!.id)).body).toMatchObject({
      id: first!.id,
      replays: [{ replayId }],
    });
    expect((await getEvent(api.url, tenantId, second!.id)).body).not.toHaveProperty('replays');
  });

  it('is found under its id in upper case', async () => {
    const tenantId = 'upper';
    const [event] = await givenCompleted(api.pool, 1, tenantId);
    const { replayId } = await start({ tenantId, mode: 'republish' });
    expect(await progress(replayId.toUpperCase())).toMatchObject({ replayId });
    const cancelled = await admin<ReplayProgress>(api.url, `replays/${replayId.toUpperCase()}/cancel`, {});
    expect(cancelled.body).toMatchObject({ replayId, status: 'CANCELLED' });
    expect((await getEvent(api.url, tenantId, event!.id.toUpperCase())).body.id).toBe(event!.id);
  });

  it('resolves the dead letters that it dispatches', async () => {
    const tenantId = 'dead';
    await givenDeadLetters(api.pool, 3, { tenantId });
    const { replayId } = await start({ tenantId, status: 'DLQ', mode: 'reprocess' });
    await withBackend(finished(replayId, { progress: { completed: 3 } }));
    expect(await statusCounts(api.pool, tenantId)).toEqual({ COMPLETED: 3 });
    expect(await countRows(api.pool, `dead_letters where tenant_id = 'dead' and resolution = 'REPLAYED'`)).toBe(3);
  });

  it('never dispatches an event twice when two operators start it at once', async () => {
    const tenantId = 'twins';
    const events = await givenCompleted(api.pool, 150, tenantId);
    const both = await Promise.all([1, 2].map(() => start({ tenantId, mode: 'reprocess' })));
    expect(both.map(({ matched }) => matched)).toEqual([150, 150]);
    expect(both.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(150);
    expect(both.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(150);
    expect(
      await countRows(
        api.pool,
        `outbox o join events e on e.id = o.event_id
       where e.tenant_id = 'twins' and o.destination = 'retry'`,
      ),
    ).toBe(150);
    await withBackend(async () => {
      for (const { replayId } of both) await finished(replayId, {})();
    });
    expect(await usageOf(api.url, tenantId)).toBe(150);
    expect(await attemptRows(api.pool, events[0]!)).toHaveLength(2);
  });

  it('is carried out by a publisher, waits while the outbox is full, and can be cancelled', async () => {
    const tenantId = 'long';
    await api.pool.query('delete from outbox where closed_at is null'); // what other tests left waiting
    await givenCompleted(api.pool, 450, tenantId);
    const { replayId, matched, replayed } = await start({ tenantId, mode: 'republish' });
    expect([matched, replayed]).toEqual([450, 0]);
    const pool = createPool(api.databaseUrl, 'test');
    const loop = new ReplayLoop(pool, api.app.get(WakeUp, { strict: false }));
    try {
      for (let run = 0; run < 4; run++) await loop.runOnce();
      const { progress: counts } = await progress(replayId);
      expect(counts).toMatchObject({ pending: 50, dispatched: 400 }); // as many as may be open in the outbox
      const cancelled = await admin<ReplayProgress>(api.url, `replays/${replayId}/cancel`, {});
      expect(cancelled.body).toMatchObject({
        status: 'CANCELLED',
        progress: { pending: 0, dispatched: 400, cancelled: 50 },
      });
      await withBackend(async () =>
        expect((await progress(replayId)).progress).toMatchObject({ completed: 400, cancelled: 50 }),
      );
      const again = await admin<ReplayProgress>(api.url, `replays/${replayId}/cancel`, {});
      expect(again.body).toMatchObject({ status: 'CANCELLED', progress: { completed: 400, cancelled: 50 } });
    } finally {
      await pool.end();
    }
  });

  it('is audited and listed newest first', async () => {
    const tenantId = 'audited';
    const [event] = await givenCompleted(api.pool, 1, tenantId);
    const { replayId, correlationId } = await start({ tenantId, eventIds: [event!.eventId], mode: 'republish' });
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=1')).body;
    const filter = { tenantId, eventIds: [event!.eventId], mode: 'republish', replayId };
    expect(entries).toMatchObject([
      { actor: 'admin', action: 'replay', filter, counts: { matched: 1 }, correlationId },
    ]);
    const { replays } = (await admin<{ replays: ReplayProgress[] }>(api.url, 'replays?limit=1')).body;
    expect(replays).toMatchObject([{ replayId, matched: 1 }]);
  });

  it('of no events is DONE at once', async () => {
    const { replayId, matched } = await start({ tenantId: 'nobody', mode: 'reprocess' });
    expect(matched).toBe(0);
    expect(await progress(replayId)).toMatchObject({ status: 'DONE', matched: 0 });
  });

  it.each<[string, object, string]>([
    ['without a tenant', { mode: 'reprocess' }, '/tenantId'],
    ['for a null tenant', { tenantId: null, mode: 'reprocess' }, '/tenantId'],
    ['without a mode', { tenantId: 'acme' }, '/mode'],
    ['for an unknown mode', { tenantId: 'acme', mode: 'redo' }, '/mode'],
    ['for more than REPLAY_MAX_LIMIT', { tenantId: 'acme', mode: 'reprocess', limit: 5_001 }, '/limit'],
    ['with an unknown field', { tenantId: 'acme', mode: 'reprocess', Type: 'x' }, '/Type'],
  ])('is refused %s, with a pointer to the field', async (_what, body, pointer) => {
    const problem = expectProblem(await admin(api.url, 'replay', body), 400, 'invalid-request');
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it.each(['x', '01a20bbe-19c8-7764-af38-5def3fbd1764'])('is answered 404 if it does not exist (%s)', async (id) => {
    expectProblem(await admin(api.url, `replays/${id}`), 404, 'replay-not-found');
    expectProblem(await admin(api.url, `replays/${id}/cancel`, {}), 404, 'replay-not-found');
  });

  it('does not dispatch an event that succeeds in the meantime', async () => {
    const tenantId = 'racing';
    const [event] = await givenEvents(api.pool, 1, {}, tenantId);
    await setEntries(api.pool, [event!], 'PUBLISHED');
    expect(await start({ tenantId, mode: 'reprocess' })).toMatchObject({ replayed: 0, skipped: 1 });
    await givenAttempt(api.pool, event!);
    expect(await start({ tenantId, mode: 'reprocess' })).toMatchObject({ replayed: 1, skipped: 0 });
  });
});
