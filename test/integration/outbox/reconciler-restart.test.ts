import { createPool } from '../../../src/db/pool';
import { MemoryBroker } from '../../../src/broker/memory-broker';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { Reconciler } from '../../../src/outbox/reconciler';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { listDispatchesAfter } from '../../../src/outbox/reconciler.queries';
import { testSettings } from '../../support/app';
import { eventually } from '../../support/eventually';
import { LONG_SECONDS, useOutbox } from '../../support/fixtures/outbox';
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

const outbox = useOutbox();
const { countDispatchedAgain, publisherTo, reconciledTotal, reconcilerOf } = outbox;

describe('several reconcilers at once', () => {
  it('raise a lost event only once', async () => {
    const events = await givenEvents(outbox.pool, 200);
    await setEntries(outbox.pool, events, 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    await Promise.all(Array.from({ length: 6 }, () => reconcilerOf(new ScriptedBroker()).runOnce()));
    await expect(countDispatchedAgain()).resolves.toBe(200);
    await expect(reconciledTotal()).resolves.toBe(200);
    await expect(countRows(outbox.pool, 'event_state where dispatch_no = 2')).resolves.toBe(200);
  });

  it('I11: dispatching the same loss twice raises it once, whoever comes first', async () => {
    const events = await givenEvents(outbox.pool, 50);
    await setEntries(outbox.pool, events, 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    const query = { position: '0', limit: 100, publishedBefore: new Date().toISOString() };
    const lost = await listDispatchesAfter(outbox.pool, query);
    expect(lost.filter(({ settled, publishedLongAgo }) => !settled && publishedLongAgo)).toHaveLength(50);
    const raised = await Promise.all([
      dispatchLost(outbox.pool, lost),
      dispatchLost(outbox.pool, [...lost].reverse()),
      dispatchLost(outbox.pool, lost),
    ]);
    expect(raised.reduce((a, b) => a + b)).toBe(50);
    await expect(countDispatchedAgain()).resolves.toBe(50);
  });

  it('I11: a settlement that came first wins', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    const lost = await listDispatchesAfter(outbox.pool, {
      position: '0',
      limit: 1,
      publishedBefore: new Date(Date.now() + 1_000).toISOString(),
    });
    await givenState(outbox.pool, event, { status: 'RETRYING', dispatchNo: 2 });
    await expect(dispatchLost(outbox.pool, lost)).resolves.toBe(0);
    await expect(outboxRows(outbox.pool, event)).resolves.toHaveLength(1);
    await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({ status: 'RETRYING', dispatchNo: 2 });
  });
});

describe('the reconciler at the start of a process', () => {
  it('dispatches at once whatever was published before', async () => {
    const [lost, done] = await givenEvents(outbox.pool, 2);
    if (!lost || !done) throw new Error('two events were asked for');
    await setEntries(outbox.pool, [lost, done], 'PUBLISHED');
    await givenAttempt(outbox.pool, done);
    await reconcilerOf(new MemoryBroker()).onModuleInit();
    await expect(stateRow(outbox.pool, lost)).resolves.toMatchObject({ status: 'DISPATCHED', dispatchNo: 2 });
    await expect(stateRow(outbox.pool, done)).resolves.toBeUndefined();
  });

  it('releases the leases of the dead process, so that nobody waits for them to run out', async () => {
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'IN_FLIGHT');
    const memory = new MemoryBroker();
    await reconcilerOf(memory).onModuleInit();
    await expect(outboxRows(outbox.pool, event)).resolves.toMatchObject([
      { status: 'PENDING', lockOwner: null, attempts: 0 },
    ]);
    await publisherTo(memory).runOnce();
    await expect(memory.waiting('events.main')).resolves.toBe(1);
  });

  it('examines entries behind an open one too, and more than one step of them', async () => {
    const open = await givenEvent(outbox.pool);
    const events = (await Promise.all([0, 1, 2, 3, 4].map(() => givenEvents(outbox.pool, 500)))).flat();
    await setEntries(outbox.pool, events, 'PUBLISHED');
    await reconcilerOf(new MemoryBroker()).onModuleInit();
    await expect(countDispatchedAgain()).resolves.toBe(2_500);
    await expect(stateRow(outbox.pool, open)).resolves.toBeUndefined();
    // A second crash before anything was published changes nothing.
    await reconcilerOf(new MemoryBroker()).onModuleInit();
    await expect(countDispatchedAgain()).resolves.toBe(2_500);
  });

  it('does neither with a broker that keeps what it has', async () => {
    const [published, leased] = await givenEvents(outbox.pool, 2);
    if (!published || !leased) throw new Error('two events were asked for');
    await setEntries(outbox.pool, [published], 'PUBLISHED');
    await setEntries(outbox.pool, [leased], 'IN_FLIGHT');
    await reconcilerOf(outbox.broker).onModuleInit();
    await expect(countDispatchedAgain()).resolves.toBe(0);
    await expect(outboxRows(outbox.pool, leased)).resolves.toMatchObject([{ status: 'IN_FLIGHT' }]);
  });
});

describe('a reconciler that dies', () => {
  it('holds no lock when it dies in the middle of a step', async () => {
    const own = createPool(outbox.url, `dies ${uuidV7()}`);
    const event = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [event], 'PUBLISHED');
    await letPass(outbox.pool, LONG_SECONDS);
    const holder = await outbox.pool.connect();
    await holder.query('begin; lock table event_state in exclusive mode'); // the step stops where it raises the event
    const dying = new Reconciler(testSettings(), own, outbox.broker, outbox.metrics).runOnce();
    const died = expect(dying).rejects.toThrow();
    await eventually(async () => {
      const { rowCount } = await outbox.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name like 'dies %' and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    });
    await died;
    await holder.query('rollback');
    holder.release();
    await own.end();
    await reconcilerOf(outbox.broker).runOnce();
    await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({ dispatchNo: 2 });
  });
});
