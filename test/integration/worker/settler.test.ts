import type { Event } from '../../../src/event/event';
import { createPool } from '../../../src/db/pool';
import { freePort } from '../../support/processes/free-port';
import { attemptRows, countRows, delivered, givenAttempt, givenEvents, givenState, stateRow } from '../../support/rows';
import { bytesOf, SettlerFixture } from '../../support/settler';
import { talliesOf, totalOf } from '../../support/tallies';
import { FAILING } from '../../support/failing-handler';

const SUCCESS = { status: 'SUCCESS', reasonCode: 'PROCESSED', attemptNumber: 1, dispatchNo: 1, generation: 1 };

describe('the settler', () => {
  const given = new SettlerFixture();
  const settle: typeof given.settle = (...events) => given.settle(...events);
  const usage = () => given.usage();

  it('I7: records one success for an event, and counts it once', async () => {
    const event = await given.given();
    await settle(delivered(event));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([SUCCESS]);
    const { rows } = await given.pool.query('select tenant_id, day::text, type, events, bytes from usage_daily');
    expect(rows).toEqual([
      {
        tenant_id: 'acme',
        day: event.receivedAt.slice(0, 10),
        type: 'order.paid',
        events: '1',
        bytes: String(event.sizeBytes),
      },
    ]);
    await expect(stateRow(given.pool, event)).resolves.toBeUndefined();
  });

  it('measures attempts by their result, and the time since their message was published', async () => {
    const { durations } = given.metrics;
    const events = (await givenEvents(given.pool, 3)).map((event) => delivered(event));
    await settle(...events.map((event) => ({ ...event, publishedAtMs: Date.now() - 2_000 })));
    await settle(...events); // settled before
    await settle(delivered(await given.given(FAILING)));
    await expect(talliesOf(durations.attempts)).resolves.toEqual({ 'handlers success': 3, 'handlers retry': 1 });
    await expect(talliesOf(durations.stages)).resolves.toEqual({ settle: 3 });
    await expect(talliesOf(durations.endToEnd)).resolves.toEqual({ '': 3 });
    expect(await totalOf(durations.stages)).toBeGreaterThanOrEqual(5.9);
  });

  it('I7: records one success for an event that is redelivered again and again', async () => {
    const event = await given.given();
    for (let i = 0; i < 3; i++) await settle(delivered(event));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([SUCCESS]);
    await expect(usage()).resolves.toEqual({ events: 1, bytes: event.sizeBytes });
    expect((await given.metrics.workerAttempts.get()).values).toMatchObject([{ value: 1 }]);
  });

  it('I7: records one success for an event that is twice in a batch', async () => {
    const [a, b] = (await givenEvents(given.pool, 2)) as [Event, Event];
    await settle(delivered(a), delivered(b), delivered(a), delivered(b), delivered(a));
    await expect(attemptRows(given.pool, a)).resolves.toMatchObject([SUCCESS]);
    await expect(usage()).resolves.toEqual({ events: 2, bytes: bytesOf([a, b]) });
  });

  it('I7: records one success each for a batch of new and settled events', async () => {
    const events = await givenEvents(given.pool, 10);
    await settle(...events.slice(0, 5).map((event) => delivered(event)));
    await settle(...events.map((event) => delivered(event)));
    await expect(usage()).resolves.toEqual({ events: 10, bytes: bytesOf(events) });
  });

  it('I7: records one success each for events that several workers settle at the same time, in any order', async () => {
    const events = await givenEvents(given.pool, 200, {}, 'busy');
    const pools = Array.from({ length: 3 }, (_, i) => createPool(given.url, `worker ${i}`));
    const shuffled = (seed: number) =>
      [...events].map((event, i) => [(i * (2 * seed + 7) * 31) % 199, event] as const).sort(([a], [b]) => a - b);
    await Promise.all(
      pools.flatMap((pool, worker) =>
        [0, 1].map(async (part) => {
          const order = shuffled(worker * 2 + part).map(([, event]) => delivered(event));
          for (let at = 0; at < order.length; at += 40) await given.settler(pool).settle(order.slice(at, at + 40));
        }),
      ),
    );
    await Promise.all(pools.map((pool) => pool.end()));
    await expect(usage()).resolves.toEqual({ events: 200, bytes: bytesOf(events) });
    await expect(countRows(given.pool, 'processing_attempts')).resolves.toBe(200);
    await expect(countRows(given.pool, 'event_state')).resolves.toBe(0);
  });

  it('I7: records one success in each generation: a reprocessed event counts again, once', async () => {
    const event = await given.given();
    await settle(delivered(event));
    await givenState(given.pool, event, { status: 'DISPATCHED', generation: 2, dispatchNo: 2, attempts: 0 });
    await settle(delivered(event, { dispatchNo: 2, generation: 2 }), delivered(event));
    await settle(delivered(event, { dispatchNo: 2, generation: 2 }));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([
      SUCCESS,
      { ...SUCCESS, dispatchNo: 2, generation: 2 },
    ]);
    await expect(stateRow(given.pool, event)).resolves.toMatchObject({ status: 'COMPLETED', generation: 2 });
    await expect(usage()).resolves.toMatchObject({ events: 2 });
  });

  it('does nothing for an empty batch', async () => {
    await settle();
    await expect(countRows(given.pool, 'processing_attempts')).resolves.toBe(0);
  });

  it.each(['DISPATCHED', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'] as const)(
    'I11: does nothing for a dispatch once a newer one is %s',
    async (status) => {
      const event = await given.given();
      await givenState(given.pool, event, { status, dispatchNo: 2 });
      const before = await stateRow(given.pool, event);
      await settle(delivered(event));
      await expect(attemptRows(given.pool, event)).resolves.toEqual([]);
      await expect(usage()).resolves.toMatchObject({ events: 0 });
      await expect(stateRow(given.pool, event)).resolves.toEqual(before);
    },
  );

  it.each(['RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'] as const)(
    'I11: does nothing for a dispatch that is %s already',
    async (status) => {
      const event = await given.given(FAILING);
      await givenState(given.pool, event, { status, dispatchNo: 2 });
      await settle(delivered(event, { dispatchNo: 2 }));
      await expect(attemptRows(given.pool, event)).resolves.toEqual([]);
    },
  );

  it('I11: completes the other events of a batch with a stale dispatch', async () => {
    const [stale, fresh] = (await givenEvents(given.pool, 2)) as [Event, Event];
    await givenState(given.pool, stale, { status: 'DISPATCHED', dispatchNo: 2 });
    await settle(delivered(stale), delivered(fresh));
    await expect(attemptRows(given.pool, stale)).resolves.toEqual([]);
    await expect(attemptRows(given.pool, fresh)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
  });

  it('I11: records no failure of a stale dispatch', async () => {
    const event = await given.given(FAILING);
    await settle(delivered(event), delivered(event)); // the second one is stale as soon as the first has failed
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'RETRY', attemptNumber: 1 }]);
    await expect(countRows(given.pool, 'retry_schedule')).resolves.toBe(1);
    await settle(delivered(event));
    await expect(attemptRows(given.pool, event)).resolves.toHaveLength(1);
  });

  it('throws when PostgreSQL cannot be reached, which is no attempt of the events', async () => {
    const nowhere = createPool(`postgres://postgres@127.0.0.1:${await freePort()}/none`, 'nowhere');
    const [a, b] = (await givenEvents(given.pool, 2)) as [Event, Event];
    await expect(given.settler(nowhere).settle([delivered(a), delivered(b)])).rejects.toThrow('ECONNREFUSED');
    await expect(countRows(given.pool, 'processing_attempts')).resolves.toBe(0);
    await nowhere.end();
  });

  it('throws when PostgreSQL goes away between the effects and the commit, and records nothing', async () => {
    const own = createPool(given.url, 'loses its connection');
    const event = await given.given(FAILING);
    const neighbour = await given.given();
    given.failing.run = async (events, db) => {
      await db.query('insert into effects values ($1)', [events[0]?.id]);
      await db.query('select pg_terminate_backend(pg_backend_pid())');
    };
    await expect(given.settler(own).settle([delivered(neighbour), delivered(event)])).rejects.toThrow();
    for (const table of ['processing_attempts', 'effects', 'event_state', 'retry_schedule', 'usage_daily']) {
      await expect(countRows(given.pool, table)).resolves.toBe(0);
    }
    given.failing.run = () => Promise.resolve();
    await given.settler(own).settle([delivered(neighbour), delivered(event)]);
    await expect(usage()).resolves.toMatchObject({ events: 2 });
    await own.end();
  });

  it('hands each handler the events of its types only, in the order of the batch', async () => {
    const seen: string[] = [];
    given.failing.run = async (events) => void seen.push(...events.map(({ id }) => id));
    const batch = [
      await given.given(FAILING),
      await given.given(),
      await given.given(FAILING),
      await given.given(`${FAILING}.other`),
    ];
    await settle(...batch.map((event) => delivered(event)));
    expect(seen).toEqual([batch[0]?.id, batch[2]?.id]);
    await expect(usage()).resolves.toMatchObject({ events: 4 });
  });

  it('settles an event that has an attempt of an older dispatch but no state, as after a restored backup', async () => {
    const event = await given.given();
    await givenAttempt(given.pool, event, { status: 'RETRY' });
    await settle(delivered(event));
    expect((await attemptRows(given.pool, event)).map(({ status }) => status)).toContain('SUCCESS');
  });
});
