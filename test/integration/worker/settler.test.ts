import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { createPool } from '../../../src/db/pool';
import type { Event } from '../../../src/event/event';
import { Metrics } from '../../../src/observability/metrics';
import { BatchSettler } from '../../../src/worker/settle/batch-settler';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { testSettings } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { freePort } from '../../support/processes/free-port';
import {
  attemptRows,
  countRows,
  delivered,
  givenAttempt,
  givenEvent,
  givenEvents,
  givenState,
  stateRow,
} from '../../support/rows';
import { FAILING, FailingHandler } from '../../support/failing-handler';

describe('the delivery executor', () => {
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

  describe('I7: exactly one success', () => {
    const SUCCESS = { status: 'SUCCESS', reasonCode: 'PROCESSED', attemptNumber: 1, dispatchNo: 1, generation: 1 };

    it('for a delivered event, counted once', async () => {
      const event = await one();
      await settle(delivered(event));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([SUCCESS]);
      const { rows } = await database.pool.query('select tenant_id, day::text, type, events, bytes from usage_daily');
      expect(rows).toEqual([
        {
          tenant_id: 'acme',
          day: event.receivedAt.slice(0, 10),
          type: 'order.paid',
          events: '1',
          bytes: String(event.sizeBytes),
        },
      ]);
      await expect(stateRow(database.pool, event)).resolves.toBeUndefined();
    });

    it('for one that is redelivered again and again', async () => {
      const event = await one();
      for (let i = 0; i < 3; i++) await settle(delivered(event));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([SUCCESS]);
      await expect(usage()).resolves.toEqual({ events: 1, bytes: event.sizeBytes });
      expect((await metrics.workerAttempts.get()).values).toMatchObject([{ value: 1 }]);
    });

    it('for one that is there twice in a batch', async () => {
      const [a, b] = (await givenEvents(database.pool, 2)) as [Event, Event];
      await settle(delivered(a), delivered(b), delivered(a), delivered(b), delivered(a));
      await expect(attemptRows(database.pool, a)).resolves.toMatchObject([SUCCESS]);
      await expect(usage()).resolves.toEqual({ events: 2, bytes: bytesOf([a, b]) });
    });

    it('for a batch of new and settled ones', async () => {
      const events = await givenEvents(database.pool, 10);
      await settle(...events.slice(0, 5).map((event) => delivered(event)));
      await settle(...events.map((event) => delivered(event)));
      await expect(usage()).resolves.toEqual({ events: 10, bytes: bytesOf(events) });
    });

    it('for events that two workers settle at the same time, in any order and mixture', async () => {
      const events = await givenEvents(database.pool, 200, {}, 'busy');
      const pools = Array.from({ length: 3 }, (_, i) => createPool(database.url, `worker ${i}`));
      const shuffled = (seed: number) =>
        [...events].map((event, i) => [(i * (2 * seed + 7) * 31) % 199, event] as const).sort(([a], [b]) => a - b);
      await Promise.all(
        pools.flatMap((pool, worker) =>
          [0, 1].map(async (part) => {
            const order = shuffled(worker * 2 + part).map(([, event]) => delivered(event));
            for (let at = 0; at < order.length; at += 40) await executorOf(pool).settle(order.slice(at, at + 40));
          }),
        ),
      );
      await Promise.all(pools.map((pool) => pool.end()));
      await expect(usage()).resolves.toEqual({ events: 200, bytes: bytesOf(events) });
      await expect(countRows(database.pool, 'processing_attempts')).resolves.toBe(200);
      await expect(countRows(database.pool, 'event_state')).resolves.toBe(0);
    });

    it('for each generation: a replay that runs the handlers again counts again, once', async () => {
      const event = await one();
      await settle(delivered(event));
      await givenState(database.pool, event, { status: 'DISPATCHED', generation: 2, dispatchNo: 2, attempts: 0 });
      await settle(delivered(event, { dispatchNo: 2, generation: 2 }), delivered(event));
      await settle(delivered(event, { dispatchNo: 2, generation: 2 }));
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
        SUCCESS,
        { ...SUCCESS, dispatchNo: 2, generation: 2 },
      ]);
      await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'COMPLETED', generation: 2 });
      await expect(usage()).resolves.toMatchObject({ events: 2 });
    });

    it('does nothing for an empty batch', async () => {
      await settle();
      await expect(countRows(database.pool, 'processing_attempts')).resolves.toBe(0);
    });
  });

  describe('I11: a stale dispatch', () => {
    it.each(['DISPATCHED', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'] as const)(
      'does nothing once a newer one is %s',
      async (status) => {
        const event = await one();
        await givenState(database.pool, event, { status, dispatchNo: 2 });
        const before = await stateRow(database.pool, event);
        await settle(delivered(event));
        await expect(attemptRows(database.pool, event)).resolves.toEqual([]);
        await expect(usage()).resolves.toMatchObject({ events: 0 });
        await expect(stateRow(database.pool, event)).resolves.toEqual(before);
      },
    );

    it.each(['RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'] as const)(
      'does nothing when the same dispatch is %s already',
      async (status) => {
        const event = await one(FAILING);
        await givenState(database.pool, event, { status, dispatchNo: 2 });
        await settle(delivered(event, { dispatchNo: 2 }));
        await expect(attemptRows(database.pool, event)).resolves.toEqual([]);
      },
    );

    it('costs the others of its batch nothing', async () => {
      const [stale, fresh] = (await givenEvents(database.pool, 2)) as [Event, Event];
      await givenState(database.pool, stale, { status: 'DISPATCHED', dispatchNo: 2 });
      await settle(delivered(stale), delivered(fresh));
      await expect(attemptRows(database.pool, stale)).resolves.toEqual([]);
      await expect(attemptRows(database.pool, fresh)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    });

    it('that fails records nothing', async () => {
      const event = await one(FAILING);
      await settle(delivered(event), delivered(event)); // the second one is stale as soon as the first has failed
      await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'RETRY', attemptNumber: 1 }]);
      await expect(countRows(database.pool, 'retry_schedule')).resolves.toBe(1);
      await settle(delivered(event));
      await expect(attemptRows(database.pool, event)).resolves.toHaveLength(1);
    });
  });

  describe('without a database', () => {
    it('settle throws, which is no attempt of the events', async () => {
      const nowhere = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'nowhere');
      const [a, b] = (await givenEvents(database.pool, 2)) as [Event, Event];
      await expect(executorOf(nowhere).settle([delivered(a), delivered(b)])).rejects.toThrow('ECONNREFUSED');
      await expect(countRows(database.pool, 'processing_attempts')).resolves.toBe(0);
      await nowhere.end();
    });

    it('settle throws when it goes away between the effects and the commit, and nothing was recorded', async () => {
      const own = createPool(database.url, 'loses its connection');
      const event = await one(FAILING);
      const neighbour = await one();
      failing.run = async (events, db) => {
        await db.query('insert into effects values ($1)', [events[0]?.id]);
        await db.query('select pg_terminate_backend(pg_backend_pid())');
      };
      await expect(executorOf(own).settle([delivered(neighbour), delivered(event)])).rejects.toThrow();
      for (const table of ['processing_attempts', 'effects', 'event_state', 'retry_schedule', 'usage_daily']) {
        await expect(countRows(database.pool, table)).resolves.toBe(0);
      }
      failing.run = () => Promise.resolve();
      await executorOf(own).settle([delivered(neighbour), delivered(event)]);
      await expect(usage()).resolves.toMatchObject({ events: 2 });
      await own.end();
    });
  });

  it('hands each handler the events of its types only, in the order of the batch', async () => {
    const seen: string[] = [];
    failing.run = async (events) => void seen.push(...events.map(({ id }) => id));
    const batch = [await one(FAILING), await one(), await one(FAILING), await one(`${FAILING}.other`)];
    await settle(...batch.map((event) => delivered(event)));
    expect(seen).toEqual([batch[0]?.id, batch[2]?.id]);
    await expect(usage()).resolves.toMatchObject({ events: 4 });
  });

  it('settles an event that has an attempt of an older dispatch but no state, as after a restored backup', async () => {
    const event = await one();
    await givenAttempt(database.pool, event, { status: 'RETRY' });
    await settle(delivered(event));
    expect((await attemptRows(database.pool, event)).map(({ status }) => status)).toContain('SUCCESS');
  });
});
