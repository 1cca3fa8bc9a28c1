import { RabbitBroker } from '../../../src/broker/rabbit-broker';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openRawChannel, openVhost } from '../../support/broker/rabbit-queues';
import type { Channel } from 'amqplib';
import { eventually } from '../../support/eventually';
import { DONE, external } from '../../support/handlers';
import { macKeys } from '../../support/mac-keys';
import { countRows, givenEvent, givenEvents } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { publishPending, startWorker, type TestWorker } from '../../support/worker';

const SAFETY = 'events.safety';
const SUCCEEDED = `processing_attempts where status = 'SUCCESS'`;

describe('a message that always fails, and not because of PostgreSQL', () => {
  const database = new WorkerDatabase();
  let raw: Channel;
  let broker: RabbitBroker;
  beforeEach(async () => {
    const vhost = await openVhost();
    broker = await RabbitBroker.connect(vhost.url, { publishes: true, consumes: true }, macKeys('ours'));
    atTheEnd(() => broker.close());
    await eventually(() => expect(broker.canPublish()).toBe(true));
    raw = await openRawChannel(vhost.url);
  });
  afterEach(async () => {
    await closeAll();
    await database.pool.query('drop function if exists fails() cascade');
  });

  /** PostgreSQL refuses every attempt of these events, as a fault of StreamForge would make it. */
  const letFail = async (events: string, code = 'XX000'): Promise<void> => {
    await database.pool.query(`
      create function fails() returns trigger language plpgsql as
        $$ begin raise exception 'it is broken' using errcode = '${code}'; end $$;
      create trigger fails before insert on processing_attempts for each row when (${events}) execute function fails()`);
  };
  const start = (): TestWorker => {
    const sees = external('sees', ['*'], () => Promise.resolve(DONE));
    const worker = startWorker(database.pool, broker, [new UsageMeter(), sees]);
    atTheEnd(() => worker.stop());
    return worker;
  };
  const parked = async (worker: TestWorker): Promise<number | undefined> => {
    const { values } = await worker.metrics.parkedMessages.get();
    return values.find(({ labels }) => labels.reason === 'failed')?.value;
  };

  it('is moved to events.safety, and everything beside and behind it is settled', async () => {
    const [bad] = await givenEvents(database.pool, 20);
    await letFail(`new.event_id = '${bad?.id}'`);
    const worker = start();
    await publishPending(database.pool, broker);
    await eventually(async () => expect(await countRows(database.pool, SUCCEEDED)).toBe(19), 20_000);
    await eventually(async () => expect((await raw.checkQueue(SAFETY)).messageCount).toBe(1));
    expect(await parked(worker)).toBe(1);
    const message = await raw.get(SAFETY);
    expect(message && message.properties.messageId).toBe(bad?.id);
    await givenEvent(database.pool);
    await publishPending(database.pool, broker);
    await eventually(async () => expect(await countRows(database.pool, SUCCEEDED)).toBe(20));
  });

  it('is not parked while PostgreSQL is read-only: it waits, and is settled once it can be', async () => {
    await givenEvent(database.pool);
    await letFail('true', '25006'); // also what the worker writes to find out whether one event is at fault
    const worker = start();
    await publishPending(database.pool, broker);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect([await parked(worker), await countRows(database.pool, SUCCEEDED)]).toEqual([0, 0]);
    await database.pool.query('drop function fails() cascade');
    await eventually(async () => expect(await countRows(database.pool, SUCCEEDED)).toBe(1), 20_000);
    expect(await parked(worker)).toBe(0);
  });
});
