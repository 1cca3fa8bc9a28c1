import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryBroker } from '../../../src/broker/memory-broker';
import { inTransaction } from '../../../src/db/pool';
import { keepOrder } from '../../../src/delivery-state/order/keep-order';
import { discardDeadLetters } from '../../../src/event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../../src/event-state/dispatch-dead-letters.queries';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { assessForReplay, dispatchReplayed } from '../../../src/event-state/dispatch-replayed.queries';
import { handOnTurns } from '../../../src/event-state/order/key-turns.queries';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import type { Event } from '../../../src/event/event';
import type { Handler, HandlerResult, UnfinishedResult } from '../../../src/worker/handler';
import { eventually } from '../../support/eventually';
import { DONE, external, transactional } from '../../support/handlers';
import { attemptRows, countRows, givenEvent, stateRow } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { publishPending, startWorker, takePending, type TestWorker } from '../../support/worker';

const AGAIN: UnfinishedResult = { kind: 'retry', reasonCode: 'HTTP_5XX' };
const DEAD: UnfinishedResult = { kind: 'dead-letter', reasonCode: 'INVALID_PAYLOAD' };
const SOON = { RETRY_BACKOFF_MS: '10', RETRY_JITTER: '0', MAX_RETRY_ATTEMPTS: '5' };

/** What two workers share: a database, a broker, a handler that says what ran, and two publishers. */
class Scene {
  readonly database = new WorkerDatabase();
  broker!: MemoryBroker;
  /** Ids in the order in which the handler began with them. */
  begun: string[] = [];
  mostAtOnce = 0;
  /** What comes of an event. */
  result: (event: DispatchedEvent) => HandlerResult = () => DONE;
  private workers: TestWorker[] = [];
  private readonly underWay = new Map<string, number>();
  private publishing: Promise<void>[] = [];
  private stopping = false;
  private keys = new Map<string, string>();

  constructor() {
    beforeEach(async () => {
      await this.pool.query('truncate ordered_handlers, ordered_events, ordered_keys, changed_keys, ordered_failures');
      this.broker = new MemoryBroker();
      this.begun = [];
      this.mostAtOnce = 0;
      this.result = () => DONE;
      this.stopping = false;
    });
    afterEach(async () => {
      await this.stopPublishing();
      await Promise.all(this.workers.map((worker) => worker.stop()));
      this.workers = [];
      await this.broker.close();
    });
  }

  get pool(): WorkerDatabase['pool'] {
    return this.database.pool;
  }

  /** Starts a worker, and waits until it has announced its handlers. */
  async worker(handlers: readonly Handler[]): Promise<TestWorker> {
    const worker = startWorker(this.pool, this.broker, handlers, SOON);
    this.workers.push(worker);
    await eventually(async () => expect(await countRows(this.pool, 'ordered_handlers')).toBe(1));
    return worker;
  }

  async kill(worker: TestWorker): Promise<void> {
    this.workers = this.workers.filter((one) => one !== worker);
    await worker.stop();
  }

  handler(onPoison: 'block' | 'skip' = 'block', tookMs = 2): Handler {
    return external(
      'in-order',
      ['order.*'],
      async (event) => {
        const key = this.keys.get(event.id) as string;
        const atOnce = (this.underWay.get(key) ?? 0) + 1;
        this.underWay.set(key, atOnce);
        this.mostAtOnce = Math.max(this.mostAtOnce, atOnce);
        this.begun.push(event.id);
        await sleep(tookMs);
        this.underWay.set(key, atOnce - 1);
        return this.result(event);
      },
      { ordering: 'key', onPoison },
    );
  }

  async events(partitionKey: string, count: number, eventType = 'order.paid'): Promise<Event[]> {
    const events: Event[] = [];
    for (let nth = 0; nth < count; nth++) {
      const event = await givenEvent(this.pool, { eventType, partitionKey, payload: { nth } });
      this.keys.set(event.id, partitionKey);
      events.push(event);
    }
    return events;
  }

  /** Publishers, which race for the entries of the outbox. */
  publish(): void {
    this.stopping = false;
    const loop = async (): Promise<void> => {
      while (!this.stopping) {
        await dispatchDueRetries(this.pool, 100);
        await publishPending(this.pool, this.broker);
        await sleep(2);
      }
    };
    this.publishing = [loop(), loop()];
  }

  async stopPublishing(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.publishing.splice(0));
  }

  become(events: readonly Event[], status: string, timeoutMs?: number): Promise<void> {
    return eventually(async () => {
      const { rows } = await this.pool.query<{ status: string }>(
        'select status from event_status where event_id = any ($1::uuid[])',
        [idsOf(events)],
      );
      expect(rows.map((row) => row.status)).toEqual(events.map(() => status));
    }, timeoutMs);
  }

  /** The events in the order in which the handler began with them for the last time. */
  order(of: readonly Event[]): string[] {
    const ids = new Set(idsOf(of));
    const own = this.begun.filter((id) => ids.has(id));
    return own.filter((id, i) => own.lastIndexOf(id) === i);
  }

  /** What publishers do each second, as if nobody had looked at the keys for long. */
  async keepOrder(): Promise<void> {
    await this.pool.query(`update ordered_keys set checked_at = '-infinity'`);
    await expect(keepOrder(this.pool, handOnTurns)).resolves.not.toBe('elsewhere');
  }

  async leavesNothing(): Promise<void> {
    for (const table of ['ordered_events', 'ordered_keys', 'retry_schedule'])
      expect([table, await countRows(this.pool, table)]).toEqual([table, 0]);
  }

  async replay(events: readonly Event[]): Promise<void> {
    const question = { ids: idsOf(events), discardedToo: false, ownReplay: null };
    await inTransaction(this.pool, async (db) =>
      dispatchReplayed(db, { mode: 'reprocess', discardedToo: false }, await assessForReplay(db, question)),
    );
  }
}

const idsOf = (events: readonly Event[]): string[] => events.map(({ id }) => id);

/** Fails each event once or not, as its id says. */
const failsSometimes = (): ((event: DispatchedEvent) => HandlerResult) => {
  const tried = new Map<string, number>();
  return ({ id }) => {
    tried.set(id, (tried.get(id) ?? 0) + 1);
    return (tried.get(id) ?? 0) <= parseInt(id.slice(-1), 16) % 3 ? AGAIN : DONE;
  };
};

describe('a handler that takes events in order', () => {
  const scene = new Scene();

  it('runs one event of a key at a time, in order and across retries, on two workers beside two publishers', async () => {
    scene.result = failsSometimes();
    const handlers = [scene.handler()];
    await scene.worker(handlers);
    await scene.worker(handlers);
    scene.publish();
    const byKey = await Promise.all([...'abcdef'].map((key) => scene.events(key, 8)));
    await scene.become(byKey.flat(), 'COMPLETED', 60_000);
    for (const events of byKey) expect(scene.order(events)).toEqual(idsOf(events));
    expect(scene.mostAtOnce).toBe(1);
    await scene.leavesNothing();
    // Waiting for the others has used no attempt.
    for (const event of byKey.flat()) {
      const failures = parseInt(event.id.slice(-1), 16) % 3;
      expect((await attemptRows(scene.pool, event)).map(({ status }) => status)).toEqual([
        ...Array.from({ length: failures }, () => 'RETRY'),
        'SUCCESS',
      ]);
    }
  });

  it('goes on in order when a worker stops in the midst, and another one takes over', async () => {
    scene.result = failsSometimes();
    const handlers = [scene.handler('block', 20)];
    const first = await scene.worker(handlers);
    scene.publish();
    const byKey = await Promise.all([...'abc'].map((key) => scene.events(key, 6)));
    await eventually(() => expect(scene.begun.length).toBeGreaterThan(4));
    await scene.kill(first);
    await scene.worker(handlers);
    await scene.become(byKey.flat(), 'COMPLETED', 60_000);
    for (const events of byKey) expect(scene.order(events)).toEqual(idsOf(events));
    await scene.leavesNothing();
  });

  it('shows what waits, and does not run it while the first is lost, until the reconciler dispatches that again', async () => {
    await scene.worker([scene.handler()]);
    const [first] = (await scene.events('a', 1)) as [Event];
    await takePending(scene.pool); // the broker loses it
    const [second] = (await scene.events('a', 1)) as [Event];
    await publishPending(scene.pool, scene.broker);
    await scene.become([second], 'RETRYING');
    const { rows } = await scene.pool.query(
      'select next_attempt_at, last_error from event_status where event_id = $1',
      [second.id],
    );
    expect(rows).toEqual([{ next_attempt_at: null, last_error: 'waits for an earlier event of its key' }]);
    scene.publish();
    await scene.keepOrder();
    await sleep(100);
    expect(scene.begun).toEqual([]);
    await dispatchLost(scene.pool, [{ eventId: first.id, dispatchNo: 1, generation: 1 }]);
    await scene.become([first, second], 'COMPLETED');
    expect(scene.begun).toEqual([first.id, second.id]);
    await scene.leavesNothing();
  });

  it('with onPoison block, holds the key up behind a dead letter until an operator retries or discards it', async () => {
    await scene.worker([scene.handler('block')]);
    const [first, second, third] = (await scene.events('a', 3)) as [Event, Event, Event];
    const others = await scene.events('b', 2);
    const dead = new Set([first.id, second.id]);
    scene.result = ({ id }) => (dead.has(id) ? DEAD : DONE);
    scene.publish();
    await scene.become(others, 'COMPLETED');
    await scene.become([first], 'DLQ');
    await scene.keepOrder();
    await scene.become([second, third], 'RETRYING');
    dead.delete(first.id);
    await dispatchDeadLetters(scene.pool, [first.id]);
    await scene.become([first], 'COMPLETED');
    await scene.become([second], 'DLQ');
    await scene.become([third], 'RETRYING');
    await discardDeadLetters(scene.pool, [second.id], 'not needed');
    await scene.keepOrder();
    await scene.become([third], 'COMPLETED');
    expect(scene.order([first, second, third])).toEqual(idsOf([first, second, third]));
    await scene.keepOrder();
    await scene.leavesNothing();
  });

  it('with onPoison skip, goes on at once, and a dead letter that is retried waits for the one that runs', async () => {
    await scene.worker([scene.handler('skip', 20)]);
    const [first, second, third] = (await scene.events('a', 3)) as [Event, Event, Event];
    const dead = new Set([first.id]);
    scene.result = ({ id }) => (dead.has(id) ? DEAD : DONE);
    scene.publish();
    await scene.become([first], 'DLQ');
    await eventually(() => expect(scene.begun).toEqual([first.id, second.id]), 5_000);
    dead.clear();
    await dispatchDeadLetters(scene.pool, [first.id]);
    await scene.become([first, second, third], 'COMPLETED');
    expect(scene.begun[2]).toBe(first.id);
    expect(scene.mostAtOnce).toBe(1);
    await scene.keepOrder();
    await scene.leavesNothing();
  });

  it('keeps the order when events are replayed, also beside newer ones', async () => {
    await scene.worker([scene.handler()]);
    scene.publish();
    const old = await scene.events('a', 4);
    await scene.become(old, 'COMPLETED');
    scene.begun = [];
    await scene.stopPublishing();
    await scene.replay([...old].reverse());
    const newer = await scene.events('a', 2);
    await scene.pool.query('update outbox set id = -id where closed_at is null'); // the newest arrive first
    await publishPending(scene.pool, scene.broker);
    scene.publish();
    await scene.become([...old, ...newer], 'COMPLETED');
    expect(scene.begun).toEqual(idsOf([...old, ...newer]));
    await scene.leavesNothing();
  });

  it('may be one with SQL effects', async () => {
    const ran: string[] = [];
    const handler = transactional('in-order', ['order.*'], (events) => {
      ran.push(...events.map(({ id }) => id));
      return Promise.resolve();
    });
    await scene.worker([{ ...handler, ordering: 'key' }]);
    const events = await scene.events('a', 6);
    scene.publish();
    await scene.become(events, 'COMPLETED');
    expect(ran).toEqual(idsOf(events));
    await scene.leavesNothing();
  });

  it('leaves events of other types alone: they are not noted and wait for nobody', async () => {
    await scene.worker([scene.handler()]);
    const [first] = (await scene.events('a', 1)) as [Event];
    await takePending(scene.pool);
    const [other] = (await scene.events('a', 1, 'other')) as [Event];
    await publishPending(scene.pool, scene.broker);
    await scene.become([other], 'COMPLETED');
    await expect(stateRow(scene.pool, other)).resolves.toBeUndefined();
    await expect(countRows(scene.pool, `ordered_events where event_id <> '${first.id}'`)).resolves.toBe(0);
  });
});
