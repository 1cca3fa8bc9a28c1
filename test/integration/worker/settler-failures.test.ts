import type { Pool, PoolClient } from 'pg';
import { FAILING, FailingHandler } from '../../support/failing-handler';
import { attemptRows, countRows, delivered, givenEvents, outboxRows, setEntries, stateRow } from '../../support/rows';
import { bytesOf, SettlerFixture, settlerOf } from '../../support/settler';

describe('the settler, when a handler fails', () => {
  const given = new SettlerFixture();
  const settle: typeof given.settle = (...events) => given.settle(...events);
  const usage = () => given.usage();

  it('I10: completes the other events of a batch in which one fails', async () => {
    const events = await givenEvents(given.pool, 9);
    const bad = await given.given(FAILING);
    await settle(...[...events.slice(0, 4), bad, ...events.slice(4)].map((event) => delivered(event)));
    for (const event of events) {
      await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    }
    await expect(attemptRows(given.pool, bad)).resolves.toEqual([
      {
        generation: 1,
        dispatchNo: 1,
        attemptNumber: 1,
        status: 'RETRY',
        reasonCode: 'HANDLER_ERROR',
        errorMessage: 'it broke',
      },
    ]);
    await expect(stateRow(given.pool, bad)).resolves.toMatchObject({
      status: 'RETRYING',
      dispatchNo: 2,
      attempts: 1,
      lastError: 'it broke',
    });
    await expect(usage()).resolves.toEqual({ events: 9, bytes: bytesOf(events) });
  });

  it('I8: makes an outbox entry of a dead letter with DLQ_COPY only', async () => {
    const event = await given.given(FAILING);
    const rules = { MAX_RETRY_ATTEMPTS: '1', DLQ_COPY: 'false' };
    await settlerOf(given.pool, [new FailingHandler()], { env: rules }).settle([delivered(event)]);
    await expect(stateRow(given.pool, event)).resolves.toMatchObject({ status: 'DLQ', dispatchNo: 2 });
    await expect(countRows(given.pool, 'dead_letters')).resolves.toBe(1);
    expect((await outboxRows(given.pool, event)).map(({ destination }) => destination)).toEqual(['main']);
  });

  it('I6: numbers the attempts of an event, waits longer each time, and dead-letters it after the last', async () => {
    const event = await given.given(FAILING);
    await setEntries(given.pool, [event], 'PUBLISHED');
    const waitMs = async () => {
      const { rows } = await given.pool.query<{ ms: number }>(
        `select (extract(epoch from r.due_at - max(a.created_at)) * 1000)::int as ms
           from retry_schedule r join processing_attempts a using (event_id) group by r.due_at`,
      );
      return rows[0]?.ms;
    };
    await settle(delivered(event));
    await expect(waitMs()).resolves.toBe(1_000);
    await settle(await given.nextDispatch(event, 2));
    await expect(waitMs()).resolves.toBe(5_000);
    await settle(await given.nextDispatch(event, 3));

    const failure = { generation: 1, errorMessage: 'it broke' };
    await expect(attemptRows(given.pool, event)).resolves.toEqual([
      { ...failure, dispatchNo: 1, attemptNumber: 1, status: 'RETRY', reasonCode: 'HANDLER_ERROR' },
      { ...failure, dispatchNo: 2, attemptNumber: 2, status: 'RETRY', reasonCode: 'HANDLER_ERROR' },
      {
        ...failure,
        dispatchNo: 3,
        attemptNumber: 3,
        status: 'DLQ',
        reasonCode: 'HANDLER_ERROR',
      },
    ]);
    const marked = await given.pool.query('select exhausted from processing_attempts order by attempt_number');
    expect(marked.rows).toEqual([{ exhausted: false }, { exhausted: false }, { exhausted: true }]);
    await expect(stateRow(given.pool, event)).resolves.toMatchObject({
      status: 'DLQ',
      dispatchNo: 4,
      attempts: 3,
    });
    await expect(countRows(given.pool, 'retry_schedule')).resolves.toBe(0);
    expect((await outboxRows(given.pool, event)).at(-1)).toMatchObject({
      destination: 'dlq',
      dispatchNo: 4,
      generation: 1,
      status: 'PENDING',
    });
    const { rows } = await given.pool.query(
      `select tenant_id, type, reason_code, error_message, exhausted, attempts,
              first_failed_at = (select min(created_at) from processing_attempts) as first,
              last_failed_at = (select max(created_at) from processing_attempts) as last
         from dead_letters where event_id = $1`,
      [event.id],
    );
    expect(rows).toEqual([
      {
        tenant_id: 'acme',
        type: FAILING,
        reason_code: 'HANDLER_ERROR',
        error_message: 'it broke',
        exhausted: true,
        attempts: 3,
        first: true,
        last: true,
      },
    ]);
    await expect(usage()).resolves.toMatchObject({ events: 0 });
    expect((await given.metrics.workerRetry.get()).values).toMatchObject([{ value: 2 }]);
    expect((await given.metrics.workerDlq.get()).values).toMatchObject([{ value: 1 }]);
  });

  it('completes an event that succeeds at its second attempt', async () => {
    const event = await given.given(FAILING);
    await settle(delivered(event));
    given.failing.run = () => Promise.resolve();
    await settle(await given.nextDispatch(event, 2));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([
      { attemptNumber: 1, dispatchNo: 1, status: 'RETRY' },
      { attemptNumber: 2, dispatchNo: 2, status: 'SUCCESS' },
    ]);
    await expect(stateRow(given.pool, event)).resolves.toMatchObject({ status: 'COMPLETED', lastError: null });
    await expect(usage()).resolves.toEqual({ events: 1, bytes: event.sizeBytes });
  });

  it('I7: rolls back the SQL effects of a handler that fails, and commits those of the others, once', async () => {
    const event = await given.given(FAILING);
    given.failing.run = async (events, db) => {
      for (const { id } of events) await db.query('insert into effects values ($1)', [id]);
      throw new Error('after the effect');
    };
    await settle(delivered(event));
    await expect(countRows(given.pool, 'effects')).resolves.toBe(0);
    await expect(usage()).resolves.toMatchObject({ events: 0 });
    given.failing.run = async (events, db) => {
      for (const { id } of events) await db.query('insert into effects values ($1)', [id]);
    };
    await settle(await given.nextDispatch(event, 2));
    await expect(countRows(given.pool, 'effects')).resolves.toBe(1);
    await expect(usage()).resolves.toMatchObject({ events: 1 });
  });

  it('records an attempt when PostgreSQL refuses a statement of a handler', async () => {
    const event = await given.given(FAILING);
    given.failing.run = async (_, db) => void (await db.query('select 1/0'));
    await settle(delivered(event), delivered(await given.given()));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([
      { status: 'RETRY', errorMessage: 'division by zero' },
    ]);
  });

  it('stores a short message when a handler throws a text or a very long error', async () => {
    const [a, b] = [await given.given(FAILING), await given.given(FAILING)];
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handlers may do so
    given.failing.run = () => Promise.reject('only text');
    await settle(delivered(a));
    given.failing.run = () => Promise.reject(new Error('x'.repeat(5_000)));
    await settle(delivered(b));
    await expect(attemptRows(given.pool, a)).resolves.toMatchObject([{ errorMessage: 'only text' }]);
    await expect(attemptRows(given.pool, b)).resolves.toMatchObject([{ errorMessage: 'x'.repeat(1_000) }]);
  });

  it('I10: stores a message that PostgreSQL cannot hold, without what it cannot hold', async () => {
    const event = await given.given(FAILING);
    given.failing.run = () => Promise.reject(new Error('binary \0 reply \ud800'));
    await settle(delivered(event), delivered(await given.given()));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([
      { status: 'RETRY', errorMessage: expect.stringContaining('binary') as string },
    ]);
  });

  it('I10: takes the outage of a server that a handler calls for a failed attempt, not for a lost database', async () => {
    const event = await given.given(FAILING);
    given.failing.run = () =>
      Promise.reject(Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' }));
    const neighbour = await given.given();
    await settle(delivered(event), delivered(neighbour));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'RETRY' }]);
    await expect(attemptRows(given.pool, neighbour)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
  });

  it('I10: takes a statement of a handler that times out for a failed attempt, not for a lost database', async () => {
    const event = await given.given(FAILING);
    given.failing.run = async (_, db) => {
      await db.query(`set local statement_timeout = '20ms'`);
      await db.query('select pg_sleep(5)');
    };
    const neighbour = await given.given();
    await settle(delivered(event), delivered(neighbour));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'RETRY' }]);
    await expect(attemptRows(given.pool, neighbour)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
  });

  it.each([
    ['deadlock', '40P01'],
    ['failed serialisation', '40001'],
  ])('repeats a %s of a handler at once, without an attempt', async (_, code) => {
    const event = await given.given(FAILING);
    let runs = 0;
    given.failing.run = async () => {
      if (++runs === 1) throw Object.assign(new Error('try again'), { code });
    };
    await settle(delivered(event));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([
      { status: 'SUCCESS', attemptNumber: 1, dispatchNo: 1 },
    ]);
  });

  it('I10: records a failed attempt when a handler deadlocks every time', async () => {
    const event = await given.given(FAILING);
    given.failing.run = () => Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }));
    await settle(delivered(event));
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'RETRY', attemptNumber: 1 }]);
  });

  it('I7: records no failure after another worker has succeeded with the same dispatch', async () => {
    const event = await given.given(FAILING);
    given.failing.run = () => Promise.resolve();
    const other = given.settler();
    const failingHere = new FailingHandler();
    const raced: Pool = Object.assign(Object.create(given.pool) as Pool, {
      transactions: 0,
      async connect(this: { transactions: number }): Promise<PoolClient> {
        // Between the failed transaction and the one that records the failure, the other worker settles.
        if (++this.transactions === 2) await other.settle([delivered(event)]);
        return given.pool.connect();
      },
    });
    await settlerOf(raced, [failingHere], { env: { MAX_RETRY_ATTEMPTS: '1' } }).settle([delivered(event)]);
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    await expect(countRows(given.pool, 'dead_letters')).resolves.toBe(0);
    await expect(stateRow(given.pool, event)).resolves.toBeUndefined();
  });
});
