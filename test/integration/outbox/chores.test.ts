import { ADVISORY_LOCKS, tryTransactionLock } from '../../../src/db/advisory-locks';
import { CHORES } from '../../../src/db/retention/chores';
import { Chores } from '../../../src/outbox/chores';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import { forgetSettledStarts } from '../../../src/event-state/forget-events.queries';
import { KeyPruning } from '../../../src/outbox/key-pruning';
import { Retention } from '../../../src/outbox/retention';
import { testSettings } from '../../support/app';
import { eventually } from '../../support/eventually';
import { useOutbox } from '../../support/fixtures/outbox';
import {
  countRows,
  givenAttempt,
  givenEvent,
  givenFailedEvent,
  givenRetry,
  givenState,
  letPass,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';

const outbox = useOutbox();

const retryEntries = (): Promise<number> => countRows(outbox.pool, `outbox where destination = 'retry'`);

describe('due retries', () => {
  it('I8: are appended to the outbox for the retry queue, with the dispatch number of the event state', async () => {
    const event = await givenFailedEvent(outbox.pool, -1);
    await expect(dispatchDueRetries(outbox.pool, 10)).resolves.toBe(1);
    const entry = (await outboxRows(outbox.pool, event)).at(-1);
    expect(entry).toMatchObject({ destination: 'retry', dispatchNo: 2, generation: 1, status: 'PENDING', attempts: 0 });
    await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({
      status: 'DISPATCHED',
      dispatchNo: 2,
      attempts: 1,
      outboxId: entry?.id,
      lastError: 'it broke',
    });
    await expect(countRows(outbox.pool, 'retry_schedule')).resolves.toBe(0);
    await expect(dispatchDueRetries(outbox.pool, 10)).resolves.toBe(0);
  });

  it('stay scheduled until they are due', async () => {
    const event = await givenFailedEvent(outbox.pool, 60);
    await expect(dispatchDueRetries(outbox.pool, 10)).resolves.toBe(0);
    await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({ status: 'RETRYING' });
    await expect(countRows(outbox.pool, 'retry_schedule')).resolves.toBe(1);
    await letPass(outbox.pool, 61);
    await expect(dispatchDueRetries(outbox.pool, 10)).resolves.toBe(1);
  });

  it('are dispatched in bounded steps, the longest overdue first', async () => {
    const events = [];
    for (let i = 0; i < 10; i++) events.push(await givenFailedEvent(outbox.pool, -1 - i));
    await expect(dispatchDueRetries(outbox.pool, 4)).resolves.toBe(4);
    const states = await Promise.all(events.map((event) => stateRow(outbox.pool, event)));
    expect(states.map((state) => state?.status)).toEqual([
      ...Array.from({ length: 6 }, () => 'RETRYING'),
      ...Array.from({ length: 4 }, () => 'DISPATCHED'),
    ]);
  });

  it('are dispatched once when several publishers run at the same time', async () => {
    for (let i = 0; i < 20; i++) await givenFailedEvent(outbox.pool, -1);
    const moved = await Promise.all(Array.from({ length: 5 }, () => dispatchDueRetries(outbox.pool, 100)));
    expect(moved.reduce((a, b) => a + b)).toBe(20);
    await expect(retryEntries()).resolves.toBe(20);
  });

  it.each(['COMPLETED', 'DISCARDED', 'DLQ'] as const)(
    'I11: are dropped when their event has become %s',
    async (status) => {
      const event = await givenEvent(outbox.pool);
      await givenState(outbox.pool, event, { status });
      await givenRetry(outbox.pool, event, { dueInSeconds: -1 });
      await expect(dispatchDueRetries(outbox.pool, 10)).resolves.toBe(0);
      await expect(retryEntries()).resolves.toBe(0);
      await expect(stateRow(outbox.pool, event)).resolves.toMatchObject({ status });
    },
  );

  it('I11: are dropped when their event has a newer dispatch', async () => {
    const event = await givenEvent(outbox.pool);
    await givenState(outbox.pool, event, { status: 'RETRYING', dispatchNo: 3 });
    await givenRetry(outbox.pool, event, { dueInSeconds: -1, dispatchNo: 2 });
    await expect(dispatchDueRetries(outbox.pool, 10)).resolves.toBe(0);
    await expect(retryEntries()).resolves.toBe(0);
  });
});

describe('the chores of a publisher', () => {
  const startChores = (): Chores => {
    const { pool, wakeUp, broker } = outbox;
    const retention = new Retention(testSettings(), pool);
    const keyPruning = new KeyPruning(testSettings(), pool);
    const chores = new Chores(pool, wakeUp, outbox.reconcilerOf(broker), retention, keyPruning);
    chores.onApplicationBootstrap();
    return chores;
  };

  it('dispatch retries when they are due and wake the publisher', async () => {
    let signals = 0;
    outbox.wakeUp.listen(() => (signals += 1));
    const due = await givenFailedEvent(outbox.pool, 0.3);
    const later = await givenFailedEvent(outbox.pool, 60);
    const chores = [startChores(), startChores()];
    await eventually(async () => {
      await expect(stateRow(outbox.pool, due)).resolves.toMatchObject({ status: 'DISPATCHED' });
      expect(signals).toBe(1);
    });
    await Promise.all(chores.map((each) => each.beforeApplicationShutdown()));
    await expect(stateRow(outbox.pool, later)).resolves.toMatchObject({ status: 'RETRYING' });
  });

  it('record no success while another session has their lock, so that a lock that stays makes them overdue', async () => {
    const { pool } = outbox;
    const locks = [
      'dueRetries',
      'reconciler',
      'partitions',
      'closedDestinations',
      'orderedKeys',
      'auditChain',
      'metricRollup',
      'usage',
    ] as const;
    const withoutLock = ['crash-counts', 'key-pruning'];
    const succeeded = async (): Promise<Record<string, boolean>> => {
      const { rows } = await pool.query<{ name: string; yes: boolean }>(
        'select name, succeeded_at is not null as yes from chores',
      );
      return Object.fromEntries(rows.map(({ name, yes }) => [name, yes]));
    };
    const runUntil = async (expected: Record<string, boolean>): Promise<void> => {
      const chores = startChores();
      await eventually(async () => expect(await succeeded()).toEqual(expected));
      await chores.beforeApplicationShutdown();
    };
    const every = (of: (name: string) => boolean) =>
      Object.fromEntries(
        Object.keys(CHORES)
          .filter((name) => name !== 'operator-events') // of a module of its own
          .map((name) => [name, of(name)]),
      );
    await pool.query('delete from chores');
    const other = await pool.connect();
    try {
      await other.query('begin');
      for (const name of locks) expect(await tryTransactionLock(other, ADVISORY_LOCKS[name])).toBe(true);
      await runUntil(every((name) => withoutLock.includes(name)));
    } finally {
      await other.query('rollback');
      other.release();
    }
    await runUntil(every(() => true));
  });

  it('I15: dispatch lost events and create partitions until they are stopped', async () => {
    const lost = await givenEvent(outbox.pool);
    await setEntries(outbox.pool, [lost], 'PUBLISHED');
    await letPass(outbox.pool, 3_600);
    const { rows } = await outbox.pool.query<{ name: string }>(
      `select max(inhrelid::regclass::text) as name from pg_inherits where inhparent = 'events'::regclass
            and inhrelid::regclass::text <> 'events_default'`,
    );
    const newest = (rows[0] as { name: string }).name;
    await outbox.pool.query(`drop table ${newest}`);
    const chores = startChores();
    await eventually(async () => {
      await expect(stateRow(outbox.pool, lost)).resolves.toMatchObject({ dispatchNo: 2 });
      await expect(countRows(outbox.pool, `pg_class where relname = '${newest}'`)).resolves.toBe(1);
    });
    await chores.beforeApplicationShutdown();
    await chores.beforeApplicationShutdown();
  });
});

describe('counts of starts', () => {
  beforeEach(() => outbox.pool.query('delete from crash_trials'));

  const givenCount = (id: string): Promise<unknown> =>
    outbox.pool.query(`insert into crash_trials (event_id, starts, updated_at) values ($1, 2, now())`, [id]);
  const counted = async (): Promise<string[]> => {
    const { rows } = await outbox.pool.query<{ id: string }>('select event_id as id from crash_trials order by 1');
    return rows.map(({ id }) => id);
  };

  it('are forgotten once their event is settled, whoever has settled it', async () => {
    const { pool } = outbox;
    const [succeeded, succeededBefore, dead, failedSince] = await Promise.all(
      Array.from({ length: 4 }, () => givenEvent(pool)),
    );
    if (!succeeded || !succeededBefore || !dead || !failedSince) throw new Error('four events');
    await givenAttempt(pool, succeededBefore); // settled before the start was counted
    for (const { id } of [succeeded, succeededBefore, dead, failedSince]) await givenCount(id);
    await givenAttempt(pool, succeeded);
    await givenState(pool, dead, { status: 'DLQ' });
    await givenAttempt(pool, failedSince, { status: 'RETRY' });
    await givenState(pool, failedSince, { status: 'RETRYING' });
    await expect(forgetSettledStarts(pool, 10)).resolves.toBe(4);
    await expect(counted()).resolves.toEqual([]);
  });

  it('are kept while their event may still run', async () => {
    const { pool } = outbox;
    const [fresh, failedBefore, again] = await Promise.all(Array.from({ length: 3 }, () => givenEvent(pool)));
    if (!fresh || !failedBefore || !again) throw new Error('three events');
    await givenAttempt(pool, failedBefore, { status: 'RETRY' });
    await givenState(pool, failedBefore, { status: 'DISPATCHED' });
    await givenAttempt(pool, again); // of generation 1; a replay has started generation 2
    await givenState(pool, again, { status: 'DISPATCHED', generation: 2 });
    const ids = [fresh.id, failedBefore.id, again.id];
    for (const id of ids) await givenCount(id);
    await expect(forgetSettledStarts(pool, 10)).resolves.toBe(0);
    await expect(counted()).resolves.toEqual(ids.toSorted());
  });

  it('are forgotten by the chores', async () => {
    const { pool, wakeUp, broker } = outbox;
    const event = await givenEvent(pool);
    await givenCount(event.id);
    await givenAttempt(pool, event);
    const retention = new Retention(testSettings(), pool);
    const chores = new Chores(
      pool,
      wakeUp,
      outbox.reconcilerOf(broker),
      retention,
      new KeyPruning(testSettings(), pool),
    );
    chores.onApplicationBootstrap();
    await eventually(async () => expect(await counted()).toEqual([]));
    await chores.beforeApplicationShutdown();
  });
});
