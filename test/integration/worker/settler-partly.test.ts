import type { Event } from '../../../src/event/event';
import { Metrics } from '../../../src/observability/metrics';
import type { Handler, UnfinishedResult } from '../../../src/worker/handler';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { BatchSettler } from '../../../src/worker/settle/batch-settler';
import { testSettings } from '../../support/app';
import { NO_DELIVERIES } from '../../support/deliveries';
import { recordingEffects, transactional } from '../../support/handlers';
import { attemptRows, countRows, delivered, givenEvent, givenEvents, givenState, stateRow } from '../../support/rows';
import { itemOf, settlerOf, WorkerDatabase, type TestSettler } from '../../support/settler';

describe('the settler, when an event is done in part', () => {
  const database = new WorkerDatabase();
  const settler = (...handlers: Handler[]): TestSettler => settlerOf(database.pool, handlers);
  const effectsOf = async (name: string): Promise<number> =>
    countRows(database.pool, `effects where handler = '${name}'`);
  const firstAttempts = async (status: string): Promise<number> =>
    countRows(database.pool, `processing_attempts where status = '${status}' and attempt_number = 1`);

  it('I10: completes 99 of 100 events in their first attempt when the SQL of one fails', async () => {
    const events = await givenEvents(database.pool, 100);
    const bad = events[61] as Event;
    let calls = 0;
    const strict = transactional('strict', ['*'], async (batch, { db }) => {
      calls += 1;
      await db.query(`insert into effects select 'strict', id, 1 / (id <> $2)::int from unnest($1::uuid[]) as id`, [
        batch.map(({ id }) => id),
        bad.id,
      ]);
    });
    await settler(new UsageMeter(), strict).settle(events.map((event) => delivered(event)));
    await expect(firstAttempts('SUCCESS')).resolves.toBe(99);
    await expect(attemptRows(database.pool, bad)).resolves.toMatchObject([
      { status: 'RETRY', attemptNumber: 1, errorMessage: 'division by zero' },
    ]);
    await expect(effectsOf('strict')).resolves.toBe(99);
    expect(calls).toBeLessThan(20); // one by one it would be 100
  });

  it('I10: tries few events of a tenant whose events all fail and postpones the rest; other tenants notice nothing', async () => {
    const bad = await givenEvents(database.pool, 80, {}, 'bad');
    const good = await givenEvents(database.pool, 20, {}, 'good');
    let calls = 0;
    const picky = transactional('picky', ['*'], (batch) => {
      calls += 1;
      return batch.some(({ tenantId }) => tenantId === 'bad')
        ? Promise.reject(new Error('it broke'))
        : Promise.resolve();
    });
    await settler(picky).settle([...bad, ...good].map((event) => delivered(event)));
    await expect(firstAttempts('SUCCESS')).resolves.toBe(20);
    await expect(firstAttempts('RETRY')).resolves.toBe(10);
    await expect(countRows(database.pool, `event_state where status = 'RETRYING' and attempts = 0`)).resolves.toBe(70);
    await expect(countRows(database.pool, 'retry_schedule')).resolves.toBe(80);
    expect(calls).toBeLessThan(40);
  });

  describe('when all events of a tenant fail beside those of another', () => {
    const ofTenant = (tenantId: string, n: number): Promise<Event[]> => givenEvents(database.pool, n, {}, tenantId);
    const settleBoth = async (worker: TestSettler): Promise<void> => {
      const events = [...(await ofTenant('bad', 20)), ...(await ofTenant('good', 5))];
      await worker.settle(events.map((event) => delivered(event)));
    };
    const picky = transactional('picky', ['*'], (batch) =>
      batch.some(({ tenantId }) => tenantId === 'bad') ? Promise.reject(new Error('it broke')) : Promise.resolve(),
    );

    it('I10: notes that the tenant rests', async () => {
      const worker = settler(picky);
      await settleBoth(worker);
      await expect(countRows(database.pool, 'tenant_rests')).resolves.toBe(0);
      await settleBoth(worker);
      await expect(
        countRows(database.pool, `tenant_rests where tenant_id = 'bad' and rests_until > now()`),
      ).resolves.toBe(1);
      await expect(firstAttempts('SUCCESS')).resolves.toBe(10);
    });

    it('settles although nobody can note it', async () => {
      await database.pool.query('alter table tenant_rests rename to hidden_rests');
      try {
        const worker = settler(picky);
        for (let n = 0; n < 2; n++) await settleBoth(worker);
      } finally {
        await database.pool.query('alter table hidden_rests rename to tenant_rests');
      }
      await expect(firstAttempts('SUCCESS')).resolves.toBe(10);
    });
  });

  it('I7: runs only what is missing at a retry', async () => {
    const event = await givenEvent(database.pool);
    let broken = true;
    const flaky = transactional('flaky', ['*'], (events, call) =>
      broken ? Promise.reject(new Error('it broke')) : recordingEffects('flaky')(events, call),
    );
    const worker = settler(transactional('first', ['*'], recordingEffects('first')), flaky, new UsageMeter());
    await worker.settle([delivered(event)]);
    await worker.settle([await database.nextDispatch(event, 2)]);
    broken = false;
    await worker.settle([await database.nextDispatch(event, 3)]);
    expect(await Promise.all([effectsOf('first'), effectsOf('flaky')])).toEqual([1, 1]);
    await expect(countRows(database.pool, 'usage_daily where events = 1')).resolves.toBe(1);
    const attempts = await attemptRows(database.pool, event);
    expect(attempts.map(({ status, attemptNumber }) => [status, attemptNumber])).toEqual([
      ['RETRY', 1],
      ['RETRY', 2],
      ['SUCCESS', 3],
    ]);
  });

  it('I7: counts a dead letter when it is retried with success, and again when it is reprocessed', async () => {
    const event = await givenEvent(database.pool);
    const refusal: UnfinishedResult = { kind: 'dead-letter', reasonCode: 'HTTP_4XX' };
    const worker = new BatchSettler(testSettings(), database.pool, [new UsageMeter()], new Metrics(), NO_DELIVERIES);
    const sendAgain = async (generation: number, dispatchNo: number): Promise<void> => {
      await database.pool.query('delete from event_state');
      await givenState(database.pool, event, { status: 'DISPATCHED', generation, dispatchNo, attempts: 0 });
    };
    const counted = async (): Promise<number> => {
      const { rows } = await database.pool.query<{ n: number }>(
        'select coalesce(sum(events), 0)::int as n from usage_daily',
      );
      return rows[0]?.n ?? 0;
    };
    await worker.settle([itemOf(delivered(event), { unfinished: new Map([['hooks', refusal]]) })]);
    expect(await counted()).toBe(0);
    await sendAgain(1, 3);
    await worker.settle([itemOf(delivered(event, { dispatchNo: 3 }))]);
    expect(await counted()).toBe(1);
    await sendAgain(2, 4);
    await worker.settle([itemOf(delivered(event, { generation: 2, dispatchNo: 4 }))]);
    expect(await counted()).toBe(2);
  });

  it('I7: runs everything again in a new generation', async () => {
    const event = await givenEvent(database.pool);
    const failing = transactional('failing', ['*'], () => Promise.reject(new Error('it broke')));
    const worker = settler(transactional('first', ['*'], recordingEffects('first')), failing);
    await worker.settle([delivered(event)]);
    await database.pool.query('truncate event_state, retry_schedule');
    await givenState(database.pool, event, { status: 'DISPATCHED', generation: 2, dispatchNo: 2, attempts: 0 });
    await worker.settle([delivered(event, { generation: 2, dispatchNo: 2 })]);
    await expect(countRows(database.pool, `effects where generation = 2`)).resolves.toBe(1);
  });

  it('needs no search when a handler returns results: a retry, a dead letter and a postponement in one batch', async () => {
    const [good, again, dead, later] = (await givenEvents(database.pool, 4)) as [Event, Event, Event, Event];
    const calls: number[] = [];
    const judging = transactional('judging', ['*'], async (events, call) => {
      calls.push(events.length);
      await recordingEffects('judging')(events, call);
      return new Map<string, UnfinishedResult>([
        [again.id, { kind: 'retry', reasonCode: 'TIMEOUT', message: 'slow', afterMs: 60_000 }],
        [
          dead.id,
          { kind: 'dead-letter', reasonCode: 'INVALID_PAYLOAD', message: 'no amount', effects: ['judging:half'] },
        ],
        [later.id, { kind: 'postpone', reasonCode: 'CIRCUIT_OPEN', afterMs: 5_000 }],
      ]);
    });
    await settler(new UsageMeter(), judging).settle([good, again, dead, later].map((event) => delivered(event)));
    expect(calls).toEqual([4, 1]);
    await expect(effectsOf('judging')).resolves.toBe(1);
    await expect(attemptRows(database.pool, good)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    await expect(attemptRows(database.pool, again)).resolves.toMatchObject([
      { status: 'RETRY', reasonCode: 'TIMEOUT' },
    ]);
    await expect(attemptRows(database.pool, dead)).resolves.toMatchObject([
      { status: 'DLQ', reasonCode: 'INVALID_PAYLOAD', attemptNumber: 1 },
    ]);
    await expect(attemptRows(database.pool, later)).resolves.toEqual([]);
    await expect(stateRow(database.pool, later)).resolves.toMatchObject({
      status: 'RETRYING',
      attempts: 0,
      dispatchNo: 2,
    });
    await expect(countRows(database.pool, `handler_effects where handler = 'judging:half'`)).resolves.toBe(1);
    await expect(countRows(database.pool, 'usage_daily where events = 1')).resolves.toBe(1); // the good one
    await expect(
      countRows(database.pool, `retry_schedule where due_at between now() + '50 s' and now() + '61 s'`),
    ).resolves.toBe(1);
  });

  it('remembers what external handlers have done, and decides by what they have not', async () => {
    const event = delivered(await givenEvent(database.pool));
    const result: UnfinishedResult = { kind: 'retry', reasonCode: 'HTTP_5XX', effects: ['destination:a'] };
    const item = itemOf(event, { done: ['mailer'], unfinished: new Map([['hooks', result]]), externalMs: 7 });
    await new BatchSettler(testSettings(), database.pool, [new UsageMeter()], new Metrics(), NO_DELIVERIES).settle([
      item,
    ]);
    const { rows } = await database.pool.query<{ handler: string }>('select handler from handler_effects order by 1');
    expect(rows.map(({ handler }) => handler)).toEqual(['destination:a', 'mailer']);
    await expect(countRows(database.pool, 'usage_daily')).resolves.toBe(0); // it counts when the event is completed
    await expect(countRows(database.pool, 'processing_attempts where duration_ms >= 7')).resolves.toBe(1);
  });

  it('I5: notices that a handler swallowed the error of a statement, and finds its event', async () => {
    const events = await givenEvents(database.pool, 5);
    const sly = transactional('sly', ['*'], async (batch, { db }) => {
      if (batch.some(({ id }) => id === events[2]?.id)) await db.query('select 1/0').catch(() => undefined);
    });
    await settler(new UsageMeter(), sly).settle(events.map((event) => delivered(event)));
    await expect(firstAttempts('SUCCESS')).resolves.toBe(4);
    await expect(attemptRows(database.pool, events[2] as Event)).resolves.toMatchObject([{ status: 'RETRY' }]);
  });

  it('I10: waits for the timeout of a handler that hangs on one event, and records an attempt of that event only', async () => {
    const events = await givenEvents(database.pool, 6);
    const hangs = transactional(
      'hangs',
      ['*'],
      async (batch, { db }) => {
        if (batch.some(({ id }) => id === events[3]?.id)) await db.query('select pg_sleep(60)');
      },
      200,
    );
    await settler(hangs).settle(events.map((event) => delivered(event)));
    await expect(firstAttempts('SUCCESS')).resolves.toBe(5);
    await expect(attemptRows(database.pool, events[3] as Event)).resolves.toMatchObject([
      { status: 'RETRY', reasonCode: 'TIMEOUT' },
    ]);
  });

  it('I10: abandons a handler that hangs without a statement after its timeout, and closes its db', async () => {
    const event = await givenEvent(database.pool);
    let late: Promise<unknown> = Promise.resolve();
    const hangs = transactional(
      'hangs',
      ['*'],
      (_, { db, signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            late = new Promise((resolve) => setImmediate(resolve)).then(() => db.query('select 1'));
            late.catch(() => undefined);
          });
        }),
      100,
    );
    await settler(hangs).settle([delivered(event)]);
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
      { status: 'RETRY', reasonCode: 'TIMEOUT' },
    ]);
    await expect(late).rejects.toThrow('accepts no more statements');
  });

  it('I7: keeps one of a success and a failure of the same dispatch at the same time, with its effects once', async () => {
    const events = await givenEvents(database.pool, 40);
    const batch = events.map((event) => delivered(event));
    const effects = transactional('first', ['*'], recordingEffects('first'));
    const failing = transactional('failing', ['*'], (_, { db }) => db.query('select 1/0').then(() => undefined));
    const good = settler(effects);
    const bad = settler(effects, failing);
    await Promise.all([good.settle(batch), ...batch.map((event) => bad.settle([event]))]);
    const { rows } = await database.pool.query<{ attempts: number; effects: number }>(
      `select (select count(*)::int from processing_attempts a where a.event_id = e.id) as attempts,
              (select count(*)::int from effects f where f.event_id = e.id) as effects
         from events e`,
    );
    expect(rows).toEqual(events.map(() => ({ attempts: 1, effects: 1 })));
  });

  it('I11: completes a later dispatch of an event that has succeeded meanwhile', async () => {
    const event = await givenEvent(database.pool);
    const worker = settler(transactional('first', ['*'], recordingEffects('first')));
    await worker.settle([delivered(event)]);
    await givenState(database.pool, event, { status: 'DISPATCHED', dispatchNo: 2 }); // republished
    await worker.settle([delivered(event, { dispatchNo: 2 })]);
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({ status: 'COMPLETED', dispatchNo: 2 });
    await expect(effectsOf('first')).resolves.toBe(1);
  });

  it('stores no credentials of an error message', async () => {
    const event = await givenEvent(database.pool);
    const leaky = transactional('leaky', ['*'], () =>
      Promise.reject(new Error('POST https://bob:hunter2@example.com failed, Authorization: Bearer abcdef123456')),
    );
    await settler(leaky).settle([delivered(event)]);
    const [attempt] = await attemptRows(database.pool, event);
    expect(attempt?.errorMessage).toBe('POST https://***@example.com failed, Authorization: Bearer ***');
  });
});
