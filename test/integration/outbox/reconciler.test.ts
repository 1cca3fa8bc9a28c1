import type { Reconciler } from '../../../src/outbox/reconciler';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { readPosition } from '../../../src/outbox/reconciler.queries';
import { GRACE_SECONDS, LONG_SECONDS, useOutbox } from '../../support/fixtures/outbox';
import {
  givenAttempt,
  givenEntry,
  givenEvent,
  givenEvents,
  givenFailedEvent,
  givenState,
  letPass,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

const outbox = useOutbox();
const { countDispatchedAgain, reconciledTotal, reconcilerOf } = outbox;
let reconciler: Reconciler;
beforeEach(() => {
  reconciler = reconcilerOf(outbox.broker);
});

const newestEntryId = async (): Promise<string | undefined> => (await outboxRows(outbox.pool)).at(-1)?.id;

describe('the reconciler', () => {
  it('I13: dispatches a lost event again, with dispatch number 2, but only after the grace period', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    await letPass(outbox.pool, GRACE_SECONDS - 10);
    await reconciler.runOnce();
    await expect(countDispatchedAgain()).resolves.toBe(0);
    await letPass(outbox.pool, LONG_SECONDS);
    await reconciler.runOnce();
    const [first, second] = await outboxRows(outbox.pool, event);
    expect(first).toMatchObject({ dispatchNo: 1, status: 'PUBLISHED' });
    expect(second).toMatchObject({ dispatchNo: 2, generation: 1, status: 'PENDING', destination: 'main' });
    await expect(stateRow(outbox.pool, event)).resolves.toEqual({
      status: 'DISPATCHED',
      generation: 1,
      dispatchNo: 2,
      attempts: 0,
      outboxId: second?.id,
      lastError: null,
    });
    await expect(reconciledTotal()).resolves.toBe(1);
  });

  it('I13: dispatches an event a third time when it is lost twice', async () => {
    const event = await givenEvent(outbox.pool);
    for (let lost = 1; lost <= 2; lost++) {
      await setEntries(outbox.pool, [event], 'PUBLISHED');
      await letPass(outbox.pool, LONG_SECONDS);
      await reconciler.runOnce();
    }
    expect((await outboxRows(outbox.pool, event)).map(({ dispatchNo }) => dispatchNo)).toEqual([1, 2, 3]);
    await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({ dispatchNo: 3, attempts: 0 });
  });

  it('I13: keeps the attempts and the last error of a lost retry', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    const entry = await givenEntry(outbox.pool, event, { destination: 'retry', status: 'PUBLISHED' });
    await givenAttempt(outbox.pool, event, { status: 'RETRY' });
    await givenState(outbox.pool, event, { status: 'DISPATCHED', outboxId: entry, lastError: 'it broke' });
    await letPass(outbox.pool, LONG_SECONDS);
    await reconciler.runOnce();
    expect((await outboxRows(outbox.pool, event)).map(({ dispatchNo }) => dispatchNo)).toEqual([1, 2, 3]);
    await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({
      dispatchNo: 3,
      attempts: 1,
      lastError: 'it broke',
    });
  });

  it('does not touch events that are completed, wait for a retry, are dead letters or failed in the outbox', async () => {
    const { pool } = outbox;
    const done = await givenEvent(pool);
    await setEntries(pool, [done], 'PUBLISHED');
    await givenAttempt(pool, done);
    await givenFailedEvent(pool, 30);
    const dead = await givenEvent(pool);
    await setEntries(pool, [dead], 'PUBLISHED');
    await givenState(pool, dead, { status: 'DLQ' });
    await givenEntry(pool, dead, { destination: 'dlq', status: 'PUBLISHED' });
    const discarded = await givenEvent(pool);
    await setEntries(pool, [discarded], 'PUBLISHED');
    await givenState(pool, discarded, { status: 'DISCARDED' });
    await setEntries(pool, [await givenEvent(pool)], 'FAILED');
    const before = await outboxRows(pool);
    await letPass(pool, LONG_SECONDS);
    await reconciler.runOnce();
    expect(await outboxRows(pool)).toHaveLength(before.length);
    await expect(readPosition(pool)).resolves.toBe(before.at(-1)?.id);
  });

  it('I11: does not dispatch an event that was settled or dispatched while it looked', async () => {
    const { pool } = outbox;
    const retrying = await givenFailedEvent(pool, 30);
    const movedOn = await givenEvent(pool);
    await givenState(pool, movedOn, { status: 'DISPATCHED', dispatchNo: 3 });
    const before = [await stateRow(pool, retrying), await stateRow(pool, movedOn)];
    const lost = [retrying, movedOn].map(({ id }) => ({ eventId: id, dispatchNo: 1, generation: 1 }));
    await expect(dispatchLost(pool, lost)).resolves.toBe(0);
    expect([await stateRow(pool, retrying), await stateRow(pool, movedOn)]).toEqual(before);
  });

  it('dispatches a lost replay again although an older generation succeeded', async () => {
    const { pool } = outbox;
    const event = await givenEvent(pool);
    await setEntries(pool, [event], 'PUBLISHED');
    await givenAttempt(pool, event);
    const entry = await givenEntry(pool, event, { generation: 2, status: 'PUBLISHED' });
    await givenState(pool, event, { status: 'DISPATCHED', generation: 2, outboxId: entry, attempts: 0 });
    await letPass(pool, LONG_SECONDS);
    await reconciler.runOnce();
    expect((await outboxRows(pool, event)).at(-1)).toMatchObject({ dispatchNo: 3, generation: 2, status: 'PENDING' });
  });

  it('continues past FAILED entries', async () => {
    const [failed, lost] = await givenEvents(outbox.pool, 2);
    if (!failed || !lost) throw new Error('two events were asked for');
    await setEntries(outbox.pool, [failed], 'FAILED');
    await setEntries(outbox.pool, [lost], 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    await reconciler.runOnce();
    await expect(stateRow(outbox.pool, failed)).resolves.toBeUndefined();
    await expect(stateRow(outbox.pool, lost)).resolves.toMatchObject({ dispatchNo: 2 });
  });

  it.each(['PENDING', 'IN_FLIGHT'] as const)(
    'I13: goes on past an old entry that is %s, and examines it later',
    async (status) => {
      const [before, open, after] = await givenEvents(outbox.pool, 3);
      if (!before || !open || !after) throw new Error('three events were asked for');
      await setEntries(outbox.pool, [before, after], 'PUBLISHED');
      await setEntries(outbox.pool, [open], status);
      await letPass(outbox.pool, LONG_SECONDS);
      await reconciler.runOnce();
      await expect(stateRow(outbox.pool, before)).resolves.toMatchObject({ dispatchNo: 2 });
      await expect(stateRow(outbox.pool, after)).resolves.toMatchObject({ dispatchNo: 2 });
      const [first] = await outboxRows(outbox.pool);
      await expect(readPosition(outbox.pool)).resolves.toBe(first?.id);
      await setEntries(outbox.pool, [open], 'PUBLISHED');
      await letPass(outbox.pool, LONG_SECONDS);
      await outbox.reconcilerOf(new ScriptedBroker()).runOnce();
      await expect(stateRow(outbox.pool, open)).resolves.toMatchObject({ dispatchNo: 2 });
    },
  );

  it('I13: does not move its position past an entry whose transaction has not committed', async () => {
    const { pool } = outbox;
    reconciler = reconcilerOf(outbox.broker, { RECONCILE_AFTER_SECONDS: '5' });
    const slow = await givenEvent(pool);
    await pool.query('delete from outbox where event_id = $1', [slow.id]);
    const client = await pool.connect();
    let quick;
    try {
      // The slow transaction has taken its outbox id; one that took a later id is stored, published and settled first.
      await client.query('begin');
      await client.query(`insert into outbox (event_id, destination) values ($1, 'main')`, [slow.id]);
      quick = await givenEvent(pool);
      await setEntries(pool, [quick], 'PUBLISHED');
      await givenAttempt(pool, quick);
      await letPass(pool, 10); // beyond the grace: it is examined
      await reconciler.runOnce();
      await client.query('commit');
    } finally {
      client.release();
    }
    await setEntries(pool, [slow], 'PUBLISHED');
    await letPass(pool, LONG_SECONDS);
    await reconciler.runOnce();
    await expect(stateRow(pool, slow)).resolves.toMatchObject({ status: 'DISPATCHED', dispatchNo: 2 });
    await expect(stateRow(pool, quick)).resolves.toBeUndefined();
  });

  it('ends a sweep at an entry within the grace period, even if the entry is settled', async () => {
    const [old, young] = [await givenEvent(outbox.pool), await givenEvent(outbox.pool)];
    await setEntries(outbox.pool, [old], 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    await outbox.pool.query('update outbox set created_at = now() where event_id = $1', [young.id]);
    await setEntries(outbox.pool, [young], 'PUBLISHED');
    for (const event of [old, young]) await givenAttempt(outbox.pool, event);
    await reconciler.runOnce();
    const [first] = await outboxRows(outbox.pool, old);
    await expect(readPosition(outbox.pool)).resolves.toBe(first?.id);
    await letPass(outbox.pool, LONG_SECONDS);
    await reconciler.runOnce();
    await expect(readPosition(outbox.pool)).resolves.toBe(await newestEntryId());
  });

  it('stores its position, from which another process continues without examining anything twice', async () => {
    const events = await givenEvents(outbox.pool, 10);
    await setEntries(outbox.pool, events, 'PUBLISHED');
    for (const event of events) await givenAttempt(outbox.pool, event);
    await expect(readPosition(outbox.pool)).resolves.toBe('0');
    await letPass(outbox.pool, LONG_SECONDS);
    await reconciler.runOnce();
    const position = await readPosition(outbox.pool);
    expect(position).toBe(await newestEntryId());
    // Were the walk to begin at the start again, the lost attempts would raise these events.
    await outbox.pool.query('truncate processing_attempts');
    await reconcilerOf(new ScriptedBroker()).runOnce();
    await expect(countDispatchedAgain()).resolves.toBe(0);
    await expect(readPosition(outbox.pool)).resolves.toBe(position);
  });

  it('examines a large outbox in bounded steps, one transaction each', async () => {
    const events = (await Promise.all([0, 1, 2, 3, 4].map(() => givenEvents(outbox.pool, 500)))).flat();
    await setEntries(outbox.pool, events, 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    await expect(reconciler.runOnce()).resolves.toBe(true);
    await expect(countDispatchedAgain()).resolves.toBe(2_000);
    await expect(reconciler.runOnce()).resolves.toBe(false);
    await expect(countDispatchedAgain()).resolves.toBe(2_500);
  });

  it('pauses while messages wait in the queue or the broker is down', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    outbox.broker.queued = 1;
    await expect(reconciler.runOnce()).resolves.toBe(false);
    outbox.broker.queued = 0;
    outbox.broker.ready = false;
    await expect(reconciler.runOnce()).resolves.toBe(false);
    await expect(countDispatchedAgain()).resolves.toBe(0);
    outbox.broker.ready = true;
    await reconciler.runOnce();
    await expect(countDispatchedAgain()).resolves.toBe(1);
  });
});
