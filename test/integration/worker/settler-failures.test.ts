import { Logger } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import type { Event } from '../../../src/event/event';
import { Metrics } from '../../../src/observability/metrics';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import { BatchSettler } from '../../../src/worker/settle/batch-settler';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import {
  attemptRows,
  countRows,
  delivered,
  givenEvent,
  givenEvents,
  outboxRows,
  setEntries,
  stateRow,
} from '../../support/rows';
import { FAILING, FailingHandler } from '../../support/failing-handler';

describe('the delivery executor, when an attempt fails', () => {
  let database: TestDatabase;
  let metrics: Metrics;
  let failing: FailingHandler;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    await database.pool.query('create table effects (event_id uuid)');
  });
  beforeEach(async () => {
    await database.pool.query(
      `truncate events, outbox, idempotency_keys, event_state, processing_attempts, retry_schedule, dead_letters,
                usage_daily, handler_effects, effects`,
    );
    metrics = new Metrics();
    failing = new FailingHandler();
  });
  afterAll(() => database.drop());

  const executorOf = (pool: Pool = database.pool, env: Record<string, string> = {}): BatchSettler => {
    const rules = { MAX_RETRY_ATTEMPTS: '3', RETRY_BACKOFF_MS: '1000,5000', RETRY_JITTER: '0', ...env };
    return new BatchSettler(testSettings(rules), pool, [new UsageMeter(), failing], metrics);
  };

  const settle = (...events: DispatchedEvent[]): Promise<void> => executorOf().settle(events);

  const usage = async (): Promise<{ events: number; bytes: number }> => {
    const { rows } = await database.pool.query<{ events: number; bytes: number }>(
      'select coalesce(sum(events), 0)::int as events, coalesce(sum(bytes), 0)::int as bytes from usage_daily',
    );
    return rows[0] as { events: number; bytes: number };
  };

  const bytesOf = (events: readonly Event[]): number => events.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const one = async (type = 'order.paid'): Promise<Event> => givenEvent(database.pool, { eventType: type });

  /** Ends the wait before the retry and moves it to the outbox. Returns the next delivery. */
  const nextDelivery = async (event: Event, dispatchNo: number): Promise<DispatchedEvent> => {
    await database.pool.query('update retry_schedule set due_at = now()');
    await expect(dispatchDueRetries(database.pool, 10)).resolves.toBe(1);
    expect((await outboxRows(database.pool, event)).at(-1)).toMatchObject({ destination: 'retry', dispatchNo });
    return delivered(event, { dispatchNo });
  };

  describe('a handler that fails', () => {
    it('I10: for one event of a batch leaves the others completed', async () => {
      const events = await givenEvents(database.pool, 9);
      const bad = await one(FAILING);
      await settle(...[...events.slice(0, 4), bad, ...events.slice(4)].map((event) => delivered(event)));
      for (const event of events) {
        await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
      }
      await expect(attemptRows(database.pool, bad)).resolves.toEqual([
        {
          generation: 1,
          dispatchNo: 1,
          attemptNumber: 1,
          status: 'RETRY',
          reasonCode: 'HANDLER_ERROR',
          errorMessage: 'it broke',
        },
      ]);
      await expect(stateRow(database.pool, bad)).resolves.toMatchObject({
        status: 'RETRYING',
        dispatchNo: 2,
        attempts: 1,
        lastError: 'it broke',
      });
      await expect(usage()).resolves.toEqual({ events: 10, bytes: bytesOf([...events, bad]) });
    });

    it('I6: gets its attempts numbered, a longer wait each time, and a dead letter after the last', async () => {
      const event = await one(FAILING);
      await setEntries(database.pool, [event], 'PUBLISHED');
      const waitMs = async () => {
        const { rows } = await database.pool.query<{ ms: number }>(
          `select (extract(epoch from r.due_at - max(a.created_at)) * 1000)::int as ms
             from retry_schedule r join processing_attempts a using (event_id) group by r.due_at`,
        );
        return rows[0]?.ms;
      };
      await settle(delivered(event));
      await expect(waitMs()).resolves.toBe(1_000);
      await settle(await nextDelivery(event, 2));
      await expect(waitMs()).resolves.toBe(5_000);
      await settle(await nextDelivery(event, 3));

      const failure = { generation: 1, errorMessage: 'it broke' };
      await expect(attemptRows(database.pool, event)).resolves.toEqual([
        { ...failure, dispatchNo: 1, attemptNumber: 1, status: 'RETRY', reasonCode: 'HANDLER_ERROR' },
        { ...failure, dispatchNo: 2, attemptNumber: 2, status: 'RETRY', reasonCode: 'HANDLER_ERROR' },
        {
          ...failure,
          dispatchNo: 3,
          attemptNumber: 3,
          status: 'DLQ',
          reasonCode: 'RETRY_EXHAUSTED',
          errorMessage: 'HANDLER_ERROR: it broke',
        },
      ]);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({
        status: 'DLQ',
        dispatchNo: 4,
        attempts: 3,
      });
      await expect(countRows(database.pool, 'retry_schedule')).resolves.toBe(0);
      expect((await outboxRows(database.pool, event)).at(-1)).toMatchObject({
        destination: 'dlq',
        dispatchNo: 4,
        generation: 1,
        status: 'PENDING',
      });
      const { rows } = await database.pool.query(
        `select tenant_id, type, reason_code, error_message, attempts,
                first_failed_at = (select min(created_at) from processing_attempts) as first,
                last_failed_at = (select max(created_at) from processing_attempts) as last
           from dead_letters where event_id = $1`,
        [event.id],
      );
      expect(rows).toEqual([
        {
          tenant_id: 'acme',
          type: FAILING,
          reason_code: 'RETRY_EXHAUSTED',
          error_message: 'HANDLER_ERROR: it broke',
          attempts: 3,
          first: true,
          last: true,
        },
      ]);
      await expect(usage()).resolves.toMatchObject({ events: 1 });
      expect((await metrics.workerRetry.get()).values).toMatchObject([{ value: 2 }]);
      expect((await metrics.workerDlq.get()).values).toMatchObject([{ value: 1 }]);
    });

    it('and then succeeds completes the state, with the next attempt number', async () => {
      const event = await one(FAILING);
      await settle(delivered(event));
      failing.run = () => Promise.resolve();
      await settle(await nextDelivery(event, 2));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
        { attemptNumber: 1, dispatchNo: 1, status: 'RETRY' },
        { attemptNumber: 2, dispatchNo: 2, status: 'SUCCESS' },
      ]);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'COMPLETED', lastError: null });
      await expect(usage()).resolves.toEqual({ events: 1, bytes: event.sizeBytes });
    });

    it('I7: has its own SQL effects rolled back; those of the other handlers commit, once', async () => {
      const event = await one(FAILING);
      failing.run = async (events, db) => {
        for (const { id } of events) await db.query('insert into effects values ($1)', [id]);
        throw new Error('after the effect');
      };
      await settle(delivered(event));
      await expect(countRows(database.pool, 'effects')).resolves.toBe(0);
      await expect(usage()).resolves.toMatchObject({ events: 1 });
      failing.run = async (events, db) => {
        for (const { id } of events) await db.query('insert into effects values ($1)', [id]);
      };
      await settle(await nextDelivery(event, 2));
      await expect(countRows(database.pool, 'effects')).resolves.toBe(1);
      await expect(usage()).resolves.toMatchObject({ events: 1 });
    });

    it('by a statement that PostgreSQL refuses is an attempt like any other', async () => {
      const event = await one(FAILING);
      failing.run = async (_, db) => void (await db.query('select 1/0'));
      await settle(delivered(event), delivered(await one()));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
        { status: 'RETRY', errorMessage: 'division by zero' },
      ]);
    });

    it('by throwing something that is no Error, or a very long one, has a short message', async () => {
      const [a, b] = [await one(FAILING), await one(FAILING)];
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handlers may do so
      failing.run = () => Promise.reject('only text');
      await settle(delivered(a));
      failing.run = () => Promise.reject(new Error('x'.repeat(5_000)));
      await settle(delivered(b));
      await expect(attemptRows(database.pool, a)).resolves.toMatchObject([{ errorMessage: 'only text' }]);
      await expect(attemptRows(database.pool, b)).resolves.toMatchObject([{ errorMessage: 'x'.repeat(1_000) }]);
    });

    it('I10: with a message that PostgreSQL cannot hold is recorded all the same', async () => {
      const event = await one(FAILING);
      failing.run = () => Promise.reject(new Error('binary \0 reply \ud800'));
      await settle(delivered(event), delivered(await one()));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
        { status: 'RETRY', errorMessage: expect.stringContaining('binary') as string },
      ]);
    });

    it('I10: because a server of its own is down is a failed attempt, not a lost database', async () => {
      const event = await one(FAILING);
      failing.run = () =>
        Promise.reject(Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' }));
      const neighbour = await one();
      await settle(delivered(event), delivered(neighbour));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'RETRY' }]);
      await expect(attemptRows(database.pool, neighbour)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    });

    it('I10: because its statement takes too long is a failed attempt, not a lost database', async () => {
      const event = await one(FAILING);
      failing.run = async (_, db) => {
        await db.query(`set local statement_timeout = '20ms'`);
        await db.query('select pg_sleep(5)');
      };
      const neighbour = await one();
      await settle(delivered(event), delivered(neighbour));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'RETRY' }]);
      await expect(attemptRows(database.pool, neighbour)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    });

    it.each([
      ['deadlock', '40P01'],
      ['failed serialisation', '40001'],
    ])('by a %s once is run again at once, without an attempt', async (_, code) => {
      const event = await one(FAILING);
      let runs = 0;
      failing.run = async () => {
        if (++runs === 1) throw Object.assign(new Error('try again'), { code });
      };
      await settle(delivered(event));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
        { status: 'SUCCESS', attemptNumber: 1, dispatchNo: 1 },
      ]);
    });

    it('I10: by a deadlock every time is a failed attempt', async () => {
      const event = await one(FAILING);
      failing.run = () => Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }));
      await settle(delivered(event));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'RETRY', attemptNumber: 1 }]);
    });

    it('I7: after another worker has succeeded with the same delivery records no failure', async () => {
      const event = await one(FAILING);
      failing.run = () => Promise.resolve();
      const other = executorOf();
      const failingHere = new FailingHandler();
      const raced: Pool = Object.assign(Object.create(database.pool) as Pool, {
        transactions: 0,
        async connect(this: { transactions: number }): Promise<PoolClient> {
          // Between the failed transaction and the one that records the failure, the other worker settles.
          if (++this.transactions === 2) await other.settle([delivered(event)]);
          return database.pool.connect();
        },
      });
      const settings = testSettings({ MAX_RETRY_ATTEMPTS: '1' });
      await new BatchSettler(settings, raced, [failingHere], metrics).settle([delivered(event)]);
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
      await expect(countRows(database.pool, 'dead_letters')).resolves.toBe(0);
      await expect(stateRow(database.pool, event)).resolves.toBeUndefined();
    });
  });
});
