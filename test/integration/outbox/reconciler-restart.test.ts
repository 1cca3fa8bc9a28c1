import { Logger } from '@nestjs/common';
import { createPool } from '../../../src/db/pool';
import { MemoryBroker } from '../../../src/broker/memory-broker';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { Metrics } from '../../../src/observability/metrics';
import { Publisher } from '../../../src/outbox/publisher';
import { Reconciler } from '../../../src/outbox/reconciler';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { listDispatchesAfter } from '../../../src/outbox/reconciler.queries';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';
import {
  countRows,
  givenAttempt,
  givenEvent,
  givenEvents,
  givenState,
  letPass,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';
import { ScriptedBroker } from '../../support/broker/scripted-broker';

const GRACE_SECONDS = 60;
const LONG = 3_600;

describe('reconcilers that meet or restart', () => {
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

  const reconcilerOf = (target: ScriptedBroker | MemoryBroker, its = metrics): Reconciler =>
    new Reconciler(testSettings({ RECONCILE_AFTER_SECONDS: String(GRACE_SECONDS) }), database.pool, target, its);

  const reconciled = async (): Promise<number> => (await metrics.reconciled.get()).values[0]?.value ?? 0;
  const dispatches = async (): Promise<number> => countRows(database.pool, 'outbox where dispatch_no > 1');

  describe('several at once', () => {
    it('raise a lost event only once', async () => {
      const events = await givenEvents(database.pool, 200);
      await setEntries(database.pool, events, 'PUBLISHED');
      await letPass(database.pool, LONG);
      await Promise.all(Array.from({ length: 6 }, () => reconcilerOf(new ScriptedBroker()).runOnce()));
      await expect(dispatches()).resolves.toBe(200);
      await expect(reconciled()).resolves.toBe(200);
      await expect(countRows(database.pool, 'event_state where dispatch_no = 2')).resolves.toBe(200);
    });

    it('I11: dispatching the same loss twice raises it once, whoever comes first', async () => {
      const events = await givenEvents(database.pool, 50);
      await setEntries(database.pool, events, 'PUBLISHED');
      await letPass(database.pool, LONG);
      const query = { position: '0', limit: 100, publishedBefore: new Date().toISOString() };
      const lost = await listDispatchesAfter(database.pool, query);
      expect(lost.filter(({ settled, publishedLongAgo }) => !settled && publishedLongAgo)).toHaveLength(50);
      const raised = await Promise.all([
        dispatchLost(database.pool, lost),
        dispatchLost(database.pool, [...lost].reverse()),
        dispatchLost(database.pool, lost),
      ]);
      expect(raised.reduce((a, b) => a + b)).toBe(50);
      await expect(dispatches()).resolves.toBe(50);
    });

    it('I11: a settlement that came first wins', async () => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'PUBLISHED');
      const lost = await listDispatchesAfter(database.pool, {
        position: '0',
        limit: 1,
        publishedBefore: new Date(Date.now() + 1_000).toISOString(),
      });
      await givenState(database.pool, event, { status: 'RETRYING', dispatchNo: 2 });
      await expect(dispatchLost(database.pool, lost)).resolves.toBe(0);
      await expect(outboxRows(database.pool, event)).resolves.toHaveLength(1);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'RETRYING', dispatchNo: 2 });
    });
  });

  describe('at the start of a process whose broker lives in it', () => {
    it('dispatches at once whatever was published before', async () => {
      const [lost, done] = await givenEvents(database.pool, 2);
      if (!lost || !done) throw new Error('two events were asked for');
      await setEntries(database.pool, [lost, done], 'PUBLISHED');
      await givenAttempt(database.pool, done);
      await reconcilerOf(new MemoryBroker()).onModuleInit();
      await expect(stateRow(database.pool, lost)).resolves.toMatchObject({ status: 'DISPATCHED', dispatchNo: 2 });
      await expect(stateRow(database.pool, done)).resolves.toBeUndefined();
    });

    it('releases the leases of the dead process, so that nobody waits for them to run out', async () => {
      const event = await givenEvent(database.pool);
      await setEntries(database.pool, [event], 'IN_FLIGHT');
      const memory = new MemoryBroker();
      await reconcilerOf(memory).onModuleInit();
      await expect(outboxRows(database.pool, event)).resolves.toMatchObject([
        { status: 'PENDING', lockOwner: null, attempts: 0 },
      ]);
      await new Publisher(testSettings(), database.pool, memory, new LocalWakeUp(), metrics).runOnce();
      await expect(memory.waiting('events.main')).resolves.toBe(1);
    });

    it('examines entries behind an open one too, and more than one step of them', async () => {
      const open = await givenEvent(database.pool);
      const events = (await Promise.all([0, 1, 2, 3, 4].map(() => givenEvents(database.pool, 500)))).flat();
      await setEntries(database.pool, events, 'PUBLISHED');
      await reconcilerOf(new MemoryBroker()).onModuleInit();
      await expect(dispatches()).resolves.toBe(2_500);
      await expect(stateRow(database.pool, open)).resolves.toBeUndefined();
      // A second crash before anything was published changes nothing.
      await reconcilerOf(new MemoryBroker()).onModuleInit();
      await expect(dispatches()).resolves.toBe(2_500);
    });

    it('does neither with a broker that keeps what it has', async () => {
      const [published, leased] = await givenEvents(database.pool, 2);
      if (!published || !leased) throw new Error('two events were asked for');
      await setEntries(database.pool, [published], 'PUBLISHED');
      await setEntries(database.pool, [leased], 'IN_FLIGHT');
      await reconciler.onModuleInit();
      await expect(dispatches()).resolves.toBe(0);
      await expect(outboxRows(database.pool, leased)).resolves.toMatchObject([{ status: 'IN_FLIGHT' }]);
    });
  });

  it('holds no lock when it dies in the middle of a step', async () => {
    const own = createPool(database.url, `dies ${uuidV7()}`);
    const event = await givenEvent(database.pool);
    await setEntries(database.pool, [event], 'PUBLISHED');
    await letPass(database.pool, LONG);
    const holder = await database.pool.connect();
    await holder.query('begin; lock table event_state in exclusive mode'); // the step stops where it raises the event
    const dying = new Reconciler(testSettings(), own, broker, metrics).runOnce();
    const died = expect(dying).rejects.toThrow();
    await eventually(async () => {
      const { rowCount } = await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name like 'dies %' and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    });
    await died;
    await holder.query('rollback');
    holder.release();
    await own.end();
    await reconciler.runOnce();
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({ dispatchNo: 2 });
  });
});
