import { Logger } from '@nestjs/common';
import type { Broker } from '../../../src/broker/broker';
import { Metrics } from '../../../src/observability/metrics';
import { Reconciler } from '../../../src/outbox/reconciler';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { readPosition } from '../../../src/outbox/reconciler.queries';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import {
  countRows,
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

const GRACE_SECONDS = 60;
const LONG = 3_600;

describe('the reconciler', () => {
  let database: TestDatabase;
  let broker: ScriptedBroker;
  let metrics: Metrics;
  let reconciler: Reconciler;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    await database.pool.query(
      `truncate events, outbox, idempotency_keys, event_state, processing_attempts, retry_schedule, dead_letters,
                chore_progress`,
    );
    broker = new ScriptedBroker();
    metrics = new Metrics();
    reconciler = reconcilerOf(broker);
  });
  afterAll(() => database.drop());

  const reconcilerOf = (target: Broker, its = metrics, graceSeconds = GRACE_SECONDS): Reconciler =>
    new Reconciler(testSettings({ RECONCILE_AFTER_SECONDS: String(graceSeconds) }), database.pool, target, its);

  const reconciled = async (): Promise<number> => (await metrics.reconciled.get()).values[0]?.value ?? 0;
  const newestEntryId = async (): Promise<string | undefined> => (await outboxRows(database.pool)).at(-1)?.id;
  const dispatches = async (): Promise<number> => countRows(database.pool, 'outbox where dispatch_no > 1');

  describe('I13: what the broker lost', () => {
    it('is dispatched again with dispatch number 2 after the grace, and not before', async () => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'PUBLISHED');
      await letPass(database.pool, GRACE_SECONDS - 10);
      await reconciler.runOnce();
      await expect(dispatches()).resolves.toBe(0);
      await letPass(database.pool, LONG);
      await reconciler.runOnce();
      const [first, second] = await outboxRows(database.pool, event);
      expect(first).toMatchObject({ dispatchNo: 1, status: 'PUBLISHED' });
      expect(second).toMatchObject({ dispatchNo: 2, generation: 1, status: 'PENDING', destination: 'main' });
      await expect(stateRow(database.pool, event)).resolves.toEqual({
        status: 'DISPATCHED',
        generation: 1,
        dispatchNo: 2,
        attempts: 0,
        outboxId: second?.id,
        lastError: null,
      });
      await expect(reconciled()).resolves.toBe(1);
    });

    it('is dispatched a third time when it is lost again', async () => {
      const event = await givenEvent(database.pool);
      for (let lost = 1; lost <= 2; lost++) {
        await setEntries(database.pool, [event], 'PUBLISHED');
        await letPass(database.pool, LONG);
        await reconciler.runOnce();
      }
      expect((await outboxRows(database.pool, event)).map(({ dispatchNo }) => dispatchNo)).toEqual([1, 2, 3]);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({ dispatchNo: 3, attempts: 0 });
    });

    it('keeps the attempts and the last error when it was a retry', async () => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'PUBLISHED');
      const entry = await givenEntry(database.pool, event, { destination: 'retry', status: 'PUBLISHED' });
      await givenAttempt(database.pool, event, { status: 'RETRY' });
      await givenState(database.pool, event, { status: 'DISPATCHED', outboxId: entry, lastError: 'it broke' });
      await letPass(database.pool, LONG);
      await reconciler.runOnce();
      expect((await outboxRows(database.pool, event)).map(({ dispatchNo }) => dispatchNo)).toEqual([1, 2, 3]);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({
        dispatchNo: 3,
        attempts: 1,
        lastError: 'it broke',
      });
    });
  });

  it('leaves alone what was settled, waits for a retry, is a dead letter, or has failed in the outbox', async () => {
    const { pool } = database;
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
    await letPass(pool, LONG);
    await reconciler.runOnce();
    expect(await outboxRows(pool)).toHaveLength(before.length);
    await expect(readPosition(pool)).resolves.toBe(before.at(-1)?.id);
  });

  it('I11: leaves alone what was settled or sent on while it looked', async () => {
    const { pool } = database;
    const retrying = await givenFailedEvent(pool, 30);
    const movedOn = await givenEvent(pool);
    await givenState(pool, movedOn, { status: 'DISPATCHED', dispatchNo: 3 });
    const before = [await stateRow(pool, retrying), await stateRow(pool, movedOn)];
    const lost = [retrying, movedOn].map(({ id }) => ({ eventId: id, dispatchNo: 1, generation: 1 }));
    await expect(dispatchLost(pool, lost)).resolves.toBe(0);
    expect([await stateRow(pool, retrying), await stateRow(pool, movedOn)]).toEqual(before);
  });

  it('runs a replay that was lost once more, though an older generation succeeded', async () => {
    const { pool } = database;
    const event = await givenEvent(pool);
    await setEntries(pool, [event], 'PUBLISHED');
    await givenAttempt(pool, event);
    const entry = await givenEntry(pool, event, { generation: 2, status: 'PUBLISHED' });
    await givenState(pool, event, { status: 'DISPATCHED', generation: 2, outboxId: entry, attempts: 0 });
    await letPass(pool, LONG);
    await reconciler.runOnce();
    expect((await outboxRows(pool, event)).at(-1)).toMatchObject({ dispatchNo: 3, generation: 2, status: 'PENDING' });
  });

  it('FAILED entries do not block the walk', async () => {
    const [failed, lost] = await givenEvents(database.pool, 2);
    if (!failed || !lost) throw new Error('two events were asked for');
    await setEntries(database.pool, [failed], 'FAILED');
    await setEntries(database.pool, [lost], 'PUBLISHED');
    await letPass(database.pool, LONG);
    await reconciler.runOnce();
    await expect(stateRow(database.pool, failed)).resolves.toBeUndefined();
    await expect(stateRow(database.pool, lost)).resolves.toMatchObject({ dispatchNo: 2 });
  });

  it.each(['PENDING', 'IN_FLIGHT'] as const)(
    'stops before an entry that is %s, and examines it later',
    async (status) => {
      const [before, open, after] = await givenEvents(database.pool, 3);
      if (!before || !open || !after) throw new Error('three events were asked for');
      await setEntries(database.pool, [before, after], 'PUBLISHED');
      await setEntries(database.pool, [open], status);
      await letPass(database.pool, LONG);
      await reconciler.runOnce();
      await expect(stateRow(database.pool, before)).resolves.toMatchObject({ dispatchNo: 2 });
      await expect(stateRow(database.pool, after)).resolves.toBeUndefined();
      await setEntries(database.pool, [open], 'PUBLISHED');
      await letPass(database.pool, LONG);
      await reconciler.runOnce();
      await expect(stateRow(database.pool, open)).resolves.toMatchObject({ dispatchNo: 2 });
      await expect(stateRow(database.pool, after)).resolves.toMatchObject({ dispatchNo: 2 });
    },
  );

  it('I13: does not walk past an entry whose transaction has not committed yet', async () => {
    const { pool } = database;
    reconciler = reconcilerOf(broker, metrics, 5);
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
    await letPass(pool, LONG);
    await reconciler.runOnce();
    await expect(stateRow(pool, slow)).resolves.toMatchObject({ status: 'DISPATCHED', dispatchNo: 2 });
    await expect(stateRow(pool, quick)).resolves.toBeUndefined();
  });

  it('ends a sweep at what is too young to be lost, though it is settled', async () => {
    const [old, young] = [await givenEvent(database.pool), await givenEvent(database.pool)];
    await setEntries(database.pool, [old], 'PUBLISHED');
    await letPass(database.pool, LONG);
    await database.pool.query('update outbox set created_at = now() where event_id = $1', [young.id]);
    await setEntries(database.pool, [young], 'PUBLISHED');
    for (const event of [old, young]) await givenAttempt(database.pool, event);
    await reconciler.runOnce();
    const [first] = await outboxRows(database.pool, old);
    await expect(readPosition(database.pool)).resolves.toBe(first?.id);
    await letPass(database.pool, LONG);
    await reconciler.runOnce();
    await expect(readPosition(database.pool)).resolves.toBe(await newestEntryId());
  });

  it('keeps its position, so that a new leader goes on there and nothing is examined twice', async () => {
    const events = await givenEvents(database.pool, 10);
    await setEntries(database.pool, events, 'PUBLISHED');
    for (const event of events) await givenAttempt(database.pool, event);
    await expect(readPosition(database.pool)).resolves.toBe('0');
    await letPass(database.pool, LONG);
    await reconciler.runOnce();
    const position = await readPosition(database.pool);
    expect(position).toBe(await newestEntryId());
    // Were the walk to begin at the start again, the lost attempts would raise these events.
    await database.pool.query('truncate processing_attempts');
    await reconcilerOf(new ScriptedBroker()).runOnce();
    await expect(dispatches()).resolves.toBe(0);
    await expect(readPosition(database.pool)).resolves.toBe(position);
  });

  it('goes step by step through a large outbox, each step its own transaction', async () => {
    const events = (await Promise.all([0, 1, 2, 3, 4].map(() => givenEvents(database.pool, 500)))).flat();
    await setEntries(database.pool, events, 'PUBLISHED');
    await letPass(database.pool, LONG);
    await expect(reconciler.runOnce()).resolves.toBe(true);
    await expect(dispatches()).resolves.toBe(2_000);
    await expect(reconciler.runOnce()).resolves.toBe(false);
    await expect(dispatches()).resolves.toBe(2_500);
  });

  it('pauses while messages wait in the queue or the broker is away', async () => {
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    await letPass(database.pool, LONG);
    broker.queued = 1;
    await expect(reconciler.runOnce()).resolves.toBe(false);
    broker.queued = 0;
    broker.ready = false;
    await expect(reconciler.runOnce()).resolves.toBe(false);
    await expect(dispatches()).resolves.toBe(0);
    broker.ready = true;
    await reconciler.runOnce();
    await expect(dispatches()).resolves.toBe(1);
  });
});
