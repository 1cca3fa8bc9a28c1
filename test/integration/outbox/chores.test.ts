import { Logger } from '@nestjs/common';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { Metrics } from '../../../src/observability/metrics';
import { Chores } from '../../../src/outbox/chores';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import { KeyPruning } from '../../../src/outbox/key-pruning';
import { Reconciler } from '../../../src/outbox/reconciler';
import { Retention } from '../../../src/outbox/retention';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';
import {
  countRows,
  givenEvent,
  givenFailedEvent,
  givenRetry,
  givenState,
  letPass,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

describe('due retries', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  beforeEach(() =>
    database.pool.query(
      'truncate events, outbox, idempotency_keys, event_state, processing_attempts, retry_schedule, chore_progress',
    ),
  );
  afterAll(() => database.drop());

  const retryEntries = (): Promise<number> => countRows(database.pool, `outbox where destination = 'retry'`);

  it('I8: go to the outbox for the queue of retries, with the dispatch number of the state', async () => {
    const event = await givenFailedEvent(database.pool, -1);
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(1);
    const entry = (await outboxRows(database.pool, event)).at(-1);
    expect(entry).toMatchObject({ destination: 'retry', dispatchNo: 2, generation: 1, status: 'PENDING', attempts: 0 });
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({
      status: 'DISPATCHED',
      dispatchNo: 2,
      attempts: 1,
      outboxId: entry?.id,
      lastError: 'it broke',
    });
    await expect(countRows(database.pool, 'retry_schedule')).resolves.toBe(0);
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(0);
  });

  it('that are not due yet stay where they are', async () => {
    const event = await givenFailedEvent(database.pool, 60);
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(0);
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'RETRYING' });
    await expect(countRows(database.pool, 'retry_schedule')).resolves.toBe(1);
    await letPass(database.pool, 61);
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(1);
  });

  it('go in bounded steps, longest overdue first', async () => {
    const events = [];
    for (let i = 0; i < 10; i++) events.push(await givenFailedEvent(database.pool, -1 - i));
    await expect(dispatchDueRetries(database.pool, 4)).resolves.toBe(4);
    const states = await Promise.all(events.map((event) => stateRow(database.pool, event)));
    expect(states.map((state) => state?.status)).toEqual([
      ...Array.from({ length: 6 }, () => 'RETRYING'),
      ...Array.from({ length: 4 }, () => 'DISPATCHED'),
    ]);
  });

  it('are moved once however many publishers try', async () => {
    for (let i = 0; i < 20; i++) await givenFailedEvent(database.pool, -1);
    const moved = await Promise.all(Array.from({ length: 5 }, () => dispatchDueRetries(database.pool, 100)));
    expect(moved.reduce((a, b) => a + b)).toBe(20);
    await expect(retryEntries()).resolves.toBe(20);
  });

  it.each(['COMPLETED', 'DISCARDED', 'DLQ'] as const)(
    'I11: of an event that is %s meanwhile do nothing',
    async (status) => {
      const event = await givenEvent(database.pool);
      await givenState(database.pool, event, { status });
      await givenRetry(database.pool, event, { dueInSeconds: -1 });
      await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(0);
      await expect(retryEntries()).resolves.toBe(0);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status });
    },
  );

  it('I11: of an event that has a newer dispatch do nothing', async () => {
    const event = await givenEvent(database.pool);
    await givenState(database.pool, event, { status: 'RETRYING', dispatchNo: 3 });
    await givenRetry(database.pool, event, { dueInSeconds: -1, dispatchNo: 2 });
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(0);
    await expect(retryEntries()).resolves.toBe(0);
  });

  describe('by the chores of a publisher', () => {
    const choresWith = (wakeUp: LocalWakeUp, broker = new ScriptedBroker()): Chores => {
      const { pool } = database;
      const reconciler = new Reconciler(testSettings(), pool, broker, new Metrics());
      const retention = new Retention(testSettings(), pool);
      return new Chores(pool, wakeUp, reconciler, retention, new KeyPruning(testSettings(), pool));
    };

    it('are moved when their time has come, and the publisher is woken', async () => {
      const wakeUp = new LocalWakeUp();
      let signals = 0;
      wakeUp.listen(() => (signals += 1));
      const due = await givenFailedEvent(database.pool, 0.3);
      const later = await givenFailedEvent(database.pool, 60);
      const chores = [choresWith(wakeUp), choresWith(wakeUp)];
      for (const each of chores) each.onApplicationBootstrap();
      await eventually(async () => {
        await expect(stateRow(database.pool, due)).resolves.toMatchObject({ status: 'DISPATCHED' });
        expect(signals).toBe(1);
      });
      await Promise.all(chores.map((each) => each.beforeApplicationShutdown()));
      await expect(stateRow(database.pool, later)).resolves.toMatchObject({ status: 'RETRYING' });
    });

    it('as are lost events and partitions, until they are stopped (I15)', async () => {
      const chores = choresWith(new LocalWakeUp());
      const lost = await givenEvent(database.pool);
      await setEntries(database.pool, [lost], 'PUBLISHED');
      await letPass(database.pool, 3_600);
      const { rows } = await database.pool.query<{ name: string }>(
        `select max(inhrelid::regclass::text) as name from pg_inherits where inhparent = 'events'::regclass
            and inhrelid::regclass::text <> 'events_default'`,
      );
      const newest = (rows[0] as { name: string }).name;
      await database.pool.query(`drop table ${newest}`);
      chores.onApplicationBootstrap();
      await eventually(async () => {
        await expect(stateRow(database.pool, lost)).resolves.toMatchObject({ dispatchNo: 2 });
        await expect(countRows(database.pool, `pg_class where relname = '${newest}'`)).resolves.toBe(1);
      });
      await chores.beforeApplicationShutdown();
      await chores.beforeApplicationShutdown();
    });
  });
});
