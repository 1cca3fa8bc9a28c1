import type { Pool } from 'pg';
import { MemoryBroker } from '../../../src/broker/memory-broker';
import type { Consumer } from '../../../src/broker/broker';
import { MessageRouter } from '../../../src/worker/consume/message-router';
import { KeyTurns } from '../../../src/worker/key-turns';
import { PoisonDetector } from '../../../src/worker/crashes/poison-detector';
import type { Handler } from '../../../src/worker/handler';
import { ExternalHandlers } from '../../../src/worker/run/external-handlers';
import { testSettings } from '../../support/app';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { eventually } from '../../support/eventually';
import { DONE, external, recordingEffects, transactional } from '../../support/handlers';
import { countRows, delivered, givenEvent } from '../../support/rows';
import { itemOf, WorkerDatabase } from '../../support/settler';
import { publishPending, startWorker, takePending } from '../../support/worker';

const WAIT_MS = 20_000;

/** Calls `onPark` when a message is parked, at that moment. */
class WatchedBroker extends MemoryBroker {
  onPark: () => void = () => undefined;

  override consume(...args: Parameters<MemoryBroker['consume']>): Consumer {
    const consumer = super.consume(...args);
    const park = consumer.park.bind(consumer);
    consumer.park = (messages) => {
      this.onPark();
      park(messages);
    };
    return consumer;
  }
}

describe('the count of starts of an event that is given back', () => {
  const database = new WorkerDatabase();
  let broker: WatchedBroker;
  beforeEach(() => {
    broker = new WatchedBroker();
    atTheEnd(() => broker.close());
  });
  afterEach(async () => {
    await closeAll();
    await database.pool.query('drop function if exists fails() cascade; drop function if exists waits() cascade');
  });

  const start = (handler: Handler): void => {
    const worker = startWorker(database.pool, broker, [handler]);
    atTheEnd(() => worker.stop());
  };
  /** PostgreSQL refuses every attempt, as a fault of StreamForge would make it. */
  const letAttemptsFail = () =>
    database.pool.query(`
      create function fails() returns trigger language plpgsql as $$ begin raise exception 'it is broken'; end $$;
      create trigger fails before insert on processing_attempts for each row execute function fails()`);
  const letWithdrawalTake = (seconds: number) =>
    database.pool.query(`
      create function waits() returns trigger language plpgsql as
        $$ begin perform pg_sleep(${seconds}); return new; end $$;
      create trigger waits before update on crash_trials
         for each row when (new.starts < old.starts) execute function waits()`);
  const crashesAtPark = (): Promise<number> => {
    const parked = Promise.withResolvers<number>();
    broker.onPark = () => parked.resolve(countRows(database.pool, 'crash_trials where starts > 0'));
    return parked.promise;
  };

  it('is back to what it was before another worker may take the event', async () => {
    await givenEvent(database.pool);
    const first = broker.consume('events.main', 1, () => undefined);
    await broker.publish(await takePending(database.pool));
    await eventually(async () => expect(await broker.waiting('events.main')).toBe(0));
    await first.close(); // so that it is redelivered, and runs alone
    await letAttemptsFail();
    await letWithdrawalTake(0.1);
    const atPark = crashesAtPark();
    start(transactional('counting', ['*'], recordingEffects('counting')));
    await expect(atPark).resolves.toBe(0);
    expect(await countRows(database.pool, 'crash_trials')).toBe(1);
  });

  it('keeps the crashes of other workers: only a start that was counted is withdrawn', async () => {
    const event = await givenEvent(database.pool);
    await database.pool.query('insert into crash_trials (event_id, starts) values ($1, 2)', [event.id]);
    await letAttemptsFail();
    const atPark = crashesAtPark();
    start(external('hooks', ['*'], () => Promise.resolve(DONE)));
    await publishPending(database.pool, broker);
    await atPark;
    await eventually(async () => expect(await broker.waiting('events.main')).toBe(0), WAIT_MS);
    expect(await countRows(database.pool, 'crash_trials where starts = 2')).toBe(1);
  });

  it('is withdrawn when a handler fails in a way that says nothing of the event', async () => {
    const event = await givenEvent(database.pool);
    const poison = new PoisonDetector(database.pool);
    const externals = new ExternalHandlers(testSettings({}), [], poison);
    const broken = external('broken', ['*'], () => Promise.resolve(DONE));
    Object.defineProperty(broken, 'name', {
      get: () => {
        throw new Error('a fault of ours');
      },
    });
    const progress = { current: true, attempts: 0, done: [], starts: 0 };
    const item = itemOf(delivered(event), { handlers: [broken], progress, marked: true });
    const redelivered = { ...item, message: { ...item.message, redelivered: true } };
    await expect(externals.run(redelivered)).rejects.toThrow('a fault of ours');
    expect(await countRows(database.pool, 'crash_trials where starts = 0')).toBe(1);
  });

  describe('if the answer of PostgreSQL is lost', () => {
    /** Loses the answer to the next statement that counts a start. */
    const losingOneAnswer = (): Pool => {
      let isLost = false;
      const query = async (text: string, values: unknown[]): Promise<unknown> => {
        const answer = await database.pool.query(text, values);
        if (isLost || !text.includes('insert into crash_trials')) return answer;
        isLost = true;
        throw new Error('Connection terminated unexpectedly');
      };
      return Object.assign(Object.create(database.pool) as Pool, { query });
    };
    const starts = async (): Promise<number | undefined> =>
      (await database.pool.query<{ starts: number }>('select starts from crash_trials')).rows[0]?.starts;

    it('is one when it is asked for again', async () => {
      const item = itemOf(delivered(await givenEvent(database.pool)));
      const poison = new PoisonDetector(losingOneAnswer());
      await expect(poison.begin(item)).rejects.toThrow('Connection terminated');
      expect((await poison.begin(item)).startCounted).toBe(true);
      expect(await starts()).toBe(1);
      await poison.begin(item); // the next start of a worker that has not settled it
      expect(await starts()).toBe(2);
    });

    it('is withdrawn as well when the event is given back', async () => {
      const event = await givenEvent(database.pool);
      await database.pool.query('insert into crash_trials (event_id, starts) values ($1, 1)', [event.id]);
      const item = itemOf(delivered(event));
      const poison = new PoisonDetector(losingOneAnswer());
      await expect(poison.begin(item)).rejects.toThrow('Connection terminated');
      expect(await starts()).toBe(2);
      await poison.withdraw([item]);
      expect(await starts()).toBe(1);
    });
  });

  it('is asked for on one connection, together with the history of the database', async () => {
    const event = await givenEvent(database.pool);
    const externals = new ExternalHandlers(testSettings({}), [], new PoisonDetector(database.pool));
    const item = itemOf(delivered(event));
    const redelivered = { ...item, message: { ...item.message, redelivered: true } };
    let connections = 0;
    const count = (): void => void (connections += 1);
    database.pool.on('acquire', count);
    const turns = new KeyTurns(database.pool, []);
    const routes = await new MessageRouter(database.pool, externals, turns).route([redelivered]);
    database.pool.off('acquire', count);
    expect(routes.alone).toHaveLength(1);
    expect(connections).toBe(1);
  });
});
