import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryBroker } from '../../../src/broker/memory-broker';
import type { OutgoingMessage } from '../../../src/broker/broker';
import type { Event } from '../../../src/event/event';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import type { ExternalHandler, Handler, HandlerResult } from '../../../src/worker/handler';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { eventually } from '../../support/eventually';
import { DONE, external, recordingEffects, transactional } from '../../support/handlers';
import { attemptRows, countRows, givenEvent, givenEvents, givenState } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { publishPending, startWorker, takePending, type TestWorker } from '../../support/worker';

describe('a worker', () => {
  const database = new WorkerDatabase();
  let broker: MemoryBroker;
  const workers: TestWorker[] = [];
  beforeEach(async () => {
    broker = new MemoryBroker();
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await broker.close();
  });

  const start = (handlers: Handler[], env: Record<string, string> = {}): TestWorker => {
    const worker = startWorker(database.pool, broker, handlers, {
      RETRY_BACKOFF_MS: '100',
      RETRY_JITTER: '0',
      SHUTDOWN_GRACE_MS: '2000',
      ...env,
    });
    workers.push(worker);
    return worker;
  };
  const publish = () => publishPending(database.pool, broker);
  const statuses = async (tenant = 'acme'): Promise<Record<string, number>> => {
    const { rows } = await database.pool.query<{ status: string; n: number }>(
      'select status, count(*)::int as n from event_status where tenant_id = $1 group by 1',
      [tenant],
    );
    return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
  };
  /** Retries that are due come back, as the publisher role does it. */
  const retryDue = async (): Promise<void> => {
    await dispatchDueRetries(database.pool, 1_000);
    await publish();
  };
  const all = (n: number, tenant?: string) =>
    eventually(async () => {
      await retryDue();
      expect(await statuses(tenant)).toEqual({ COMPLETED: n });
    });

  it('runs external handlers outside the settle transaction, with what they need to know', async () => {
    const events = await givenEvents(database.pool, 20);
    const calls: string[] = [];
    const hooks = external('hooks', ['order.*'], (event, { attemptNumber, done, signal }) => {
      calls.push([event.id, attemptNumber, done.size, signal.aborted].join());
      return Promise.resolve(DONE);
    });
    start([new UsageMeter(), hooks]);
    await publish();
    await all(20);
    expect(calls.sort()).toEqual(events.map(({ id }) => `${id},1,0,false`).sort());
    await expect(countRows(database.pool, 'usage_daily where events = 20')).resolves.toBe(1);
    await expect(countRows(database.pool, 'event_state')).resolves.toBe(0);
  });

  it.each([
    ['first', [1, 2]],
    ['last', [2, 1]],
  ])(
    'I7, I11: runs only the current one of two dispatches of an event that arrive together, the stale one %s',
    async (_, dispatches) => {
      const event = await givenEvent(database.pool);
      const [message] = await takePending(database.pool);
      await givenState(database.pool, event, { status: 'DISPATCHED', dispatchNo: 2 });
      const { headers, ...rest } = message as OutgoingMessage;
      await broker.publish(dispatches.map((no) => ({ ...rest, headers: { ...headers, 'dispatch-no': no } })));
      const called: number[] = [];
      start([external('sends', ['*'], async ({ dispatchNo }) => (called.push(dispatchNo), DONE))]);
      await all(1);
      expect(called).toEqual([2]);
    },
  );

  it('calls an external handler only for the events that it selects, asking once a batch', async () => {
    const events = await givenEvents(database.pool, 30);
    let asked = 0;
    const handled: string[] = [];
    const wanted = events[7]?.id;
    const some = external('some', ['*'], (event) => Promise.resolve(handled.push(event.id)).then(() => DONE), {
      select: (batch) => {
        asked += 1;
        return batch.filter(({ id }) => id === wanted);
      },
    });
    start([some]);
    await publish();
    await all(30);
    expect(handled).toEqual([wanted]);
    expect(asked).toBe(1);
  });

  it('runs again only the external handlers that are missing, and tells them their partial effects', async () => {
    const event = await givenEvent(database.pool);
    const ran: string[] = [];
    const seen: string[][] = [];
    const once = external('once', ['*'], () => Promise.resolve(ran.push('once')).then(() => DONE));
    const parts = external('parts', ['*'], (_, { done, attemptNumber }): Promise<HandlerResult> => {
      seen.push([...done].sort());
      const effects = [`parts:${attemptNumber}`];
      return Promise.resolve(attemptNumber < 3 ? { kind: 'retry', reasonCode: 'HTTP_5XX', effects } : DONE);
    });
    start([once, parts, transactional('sql', ['*'], recordingEffects('sql'))]);
    await publish();
    await all(1);
    expect(ran).toEqual(['once']);
    expect(seen).toEqual([[], ['once', 'parts:1', 'sql'], ['once', 'parts:1', 'parts:2', 'sql']]);
    await expect(countRows(database.pool, 'effects')).resolves.toBe(1);
    expect((await attemptRows(database.pool, event)).map(({ status }) => status)).toEqual([
      'RETRY',
      'RETRY',
      'SUCCESS',
    ]);
  });

  it('aborts an external call after its timeout, whether it listens or not', async () => {
    const event = await givenEvent(database.pool);
    let aborted = false;
    const deaf = external(
      'deaf',
      ['*'],
      (_, { signal }) => new Promise(() => signal.addEventListener('abort', () => (aborted = true))),
      { timeoutMs: 100 },
    );
    start([deaf], { MAX_RETRY_ATTEMPTS: '1' });
    await publish();
    await eventually(async () => expect(await statuses()).toEqual({ DLQ: 1 }));
    expect(aborted).toBe(true);
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
      { reasonCode: 'TIMEOUT', errorMessage: 'no result within 100 ms' },
    ]);
  });

  it('I10: postpones the events of a tenant whose calls hang, so that it holds neither the batches nor the prefetch', async () => {
    await givenEvents(database.pool, 150, {}, 'slow');
    const hang = external(
      'hang',
      ['*'],
      (event) => (event.tenantId === 'slow' ? new Promise<HandlerResult>(() => undefined) : Promise.resolve(DONE)),
      { timeoutMs: 60_000 },
    );
    start([hang, new UsageMeter()], {
      RABBITMQ_PREFETCH: '50',
      WORKER_BATCH_SIZE: '50',
      WORKER_TENANT_CONCURRENCY: '2',
    });
    await publish();
    await givenEvents(database.pool, 8, {}, 'quick');
    await publish();
    await eventually(async () => expect(await statuses('quick')).toEqual({ COMPLETED: 8 }), 5_000);
    await eventually(async () => {
      const { RETRYING = 0, PUBLISHED = 0 } = await statuses('slow');
      expect([RETRYING, PUBLISHED]).toEqual([140, 10]); // 2 run, 8 wait
    });
    await expect(countRows(database.pool, `event_state where attempts = 0 and status = 'RETRYING'`)).resolves.toBe(140);
    await expect(countRows(database.pool, 'processing_attempts where status <> $$SUCCESS$$')).resolves.toBe(0);
    // Paced, so that they do not all come back at once.
    await expect(countRows(database.pool, `(select distinct due_at from retry_schedule) t`)).resolves.toBeGreaterThan(
      20,
    );
  });

  it('never makes more external calls at a time than its limits allow, of all tenants and of one', async () => {
    for (const tenant of ['a', 'b', 'c', 'd']) await givenEvents(database.pool, 20, {}, tenant);
    const running = new Map<string, number>();
    let most = 0;
    let mostOfOne = 0;
    const counting = external('counting', ['*'], async ({ tenantId }: DispatchedEvent) => {
      running.set(tenantId, (running.get(tenantId) ?? 0) + 1);
      most = Math.max(
        most,
        [...running.values()].reduce((sum, n) => sum + n, 0),
      );
      mostOfOne = Math.max(mostOfOne, running.get(tenantId) ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running.set(tenantId, (running.get(tenantId) ?? 0) - 1);
      return DONE;
    });
    start([counting], { WORKER_HANDLER_CONCURRENCY: '5', WORKER_TENANT_CONCURRENCY: '3' });
    await publish();
    for (const tenant of ['a', 'b', 'c', 'd']) await all(20, tenant);
    expect([most, mostOfOne]).toEqual([5, 3]);
  });

  it('I15: on shutdown ends calls within its grace, settles what they did and gives back the rest, without an attempt', async () => {
    const [quick, endless] = (await givenEvents(database.pool, 2)) as [Event, Event];
    let begun = 0;
    let aborted = false;
    const hooks = external(
      'hooks',
      ['*'],
      (event, { signal }) => {
        begun += 1;
        if (event.id === quick.id) return new Promise((resolve) => setTimeout(() => resolve(DONE), 300));
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason as Error);
          });
        });
      },
      { timeoutMs: 60_000 },
    );
    const worker = start([hooks], { SHUTDOWN_GRACE_MS: '1500' });
    await publish();
    await eventually(() => expect(begun).toBe(2));
    const startedMs = Date.now();
    await worker.stop();
    expect(Date.now() - startedMs).toBeLessThan(1_500);
    expect(aborted).toBe(true);
    await expect(attemptRows(database.pool, quick)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
    await expect(attemptRows(database.pool, endless)).resolves.toEqual([]);
    await expect(broker.waiting('events.main')).resolves.toBe(1);
    await expect(countRows(database.pool, 'crash_trials where starts > 0')).resolves.toBe(0);
  });

  it('I15: on shutdown settles the batches in hand, and gives back the messages behind it', async () => {
    await givenEvents(database.pool, 6);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let calls = 0;
    const slow = transactional('slow', ['*'], () => {
      calls += 1;
      return released;
    });
    const worker = start([slow], { WORKER_BATCH_SIZE: '2' });
    await publish();
    await eventually(async () => expect([calls, await broker.waiting('events.main')]).toEqual([2, 0]));
    const stopped = worker.stop();
    release();
    await stopped;
    const settled = await countRows(database.pool, 'processing_attempts');
    expect(settled).toBeLessThanOrEqual(4);
    await expect(broker.waiting('events.main')).resolves.toBe(6 - settled);
  });

  it('runs redelivered events alone, and clears the counts of their starts', async () => {
    await givenEvents(database.pool, 6);
    const messages = await takePending(database.pool);
    const first = broker.consume('events.main', 6, () => undefined);
    await broker.publish(messages);
    await eventually(async () => expect(await broker.waiting('events.main')).toBe(0));
    await first.close(); // gives all six back
    const sizes: number[] = [];
    const counting = transactional('counting', ['*'], (events) =>
      Promise.resolve(sizes.push(events.length)).then(() => undefined),
    );
    start([counting]);
    await all(6);
    expect(sizes).toEqual([1, 1, 1, 1, 1, 1]);
    await expect(countRows(database.pool, 'crash_trials')).resolves.toBe(0);
  });

  it('settles two full batches at a time, but none beside a redelivered event', async () => {
    await givenEvents(database.pool, 2);
    const suspects = await takePending(database.pool);
    const first = broker.consume('events.main', 2, () => undefined);
    await broker.publish(suspects);
    await eventually(async () => expect(await broker.waiting('events.main')).toBe(0));
    await first.close();
    await givenEvents(database.pool, 24);
    await publish();
    const isSuspect = new Set(suspects.map(({ id }) => id));
    const underWay = new Set<readonly DispatchedEvent[]>();
    const overlaps: string[] = [];
    const slow = transactional('slow', ['*'], async (events) => {
      underWay.add(events);
      await sleep(20);
      overlaps.push(
        [...underWay].map((batch) => batch.map(({ id }) => (isSuspect.has(id) ? 's' : '.')).join('')).join('|'),
      );
      underWay.delete(events);
    });
    start([slow], { WORKER_BATCH_SIZE: '2' });
    await all(26);
    expect(overlaps.filter((batches) => batches.includes('s'))).toEqual(['s', 's']);
    expect(overlaps).toContain('..|..');
    expect(overlaps.at(-1)).not.toBe('s'); // they do not wait until nothing else is left
  });

  it('dead-letters an event that was begun alone three times without an end', async () => {
    const event = await givenEvent(database.pool);
    await database.pool.query('insert into crash_trials (event_id, starts) values ($1, 3)', [event.id]);
    const messages = await takePending(database.pool);
    const first = broker.consume('events.main', 1, () => undefined);
    await broker.publish(messages);
    await eventually(async () => expect(await broker.waiting('events.main')).toBe(0));
    await first.close();
    start([transactional('counting', ['*'], recordingEffects('counting'))]);
    await eventually(async () => expect(await statuses()).toEqual({ DLQ: 1 }));
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([
      { status: 'DLQ', reasonCode: 'WORKER_CRASH' },
    ]);
    await expect(countRows(database.pool, 'effects')).resolves.toBe(0);
    await expect(countRows(database.pool, 'crash_trials')).resolves.toBe(0);
  });

  it('takes a new handler from nothing but its class', async () => {
    // The one of the README.
    class Greeter implements ExternalHandler {
      readonly kind = 'external';
      readonly name = 'greeter';
      readonly eventTypes = ['user.signed-up', 'guest.*'];
      readonly timeoutMs = 2_000;
      readonly greeted: string[] = [];

      handle(event: DispatchedEvent): Promise<HandlerResult> {
        this.greeted.push(event.id);
        return Promise.resolve({ kind: 'done' });
      }
    }
    const greeter = new Greeter();
    const user = await givenEvent(database.pool, { eventType: 'user.signed-up' });
    const guest = await givenEvent(database.pool, { eventType: 'guest.arrived' });
    await givenEvent(database.pool);
    start([new UsageMeter(), greeter]);
    await publish();
    await all(3);
    expect(greeter.greeted.sort()).toEqual([user.id, guest.id].sort());
  });
});
