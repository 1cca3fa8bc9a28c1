import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { RabbitBroker } from '../../../src/broker/rabbit-broker';
import { InstallationKey } from '../../../src/installation/installation-key';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { testSettings } from '../../support/app';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { AMPLE_MS } from '../../support/broker/listener';
import { openVhost } from '../../support/broker/rabbit-queues';
import { eventually } from '../../support/eventually';
import { countRows, givenEvents } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { startWorker, takePending } from '../../support/worker';

Logger.overrideLogger(false);

const GIVEN = { INSTALLATION_KEY: hash('sha256', 'given', 'base64') };
const EVENTS = 20;

describe('a worker that runs while INSTALLATION_KEY is set or removed elsewhere', () => {
  const database = new WorkerDatabase();
  beforeEach(() =>
    database.pool.query('update installation set installation_key = null, given_installation_key = null'),
  );
  afterEach(closeAll);

  const brokerOf = async (url: string, env: Record<string, string>, publishes: boolean): Promise<RabbitBroker> => {
    const keys = new InstallationKey(testSettings(env), database.pool);
    const broker = await RabbitBroker.connect(url, { publishes, consumes: !publishes }, keys);
    atTheEnd(() => broker.close());
    return broker;
  };

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['without it settles what a publisher with it signs', {}, GIVEN],
    ['with it settles what a publisher without it signs', GIVEN, {}],
  ])('%s', async (_what, ofWorker, ofPublisher) => {
    const vhost = await openVhost();
    const consuming = await brokerOf(vhost.url, ofWorker, false);
    const worker = startWorker(database.pool, consuming, [new UsageMeter()]);
    atTheEnd(() => worker.stop());
    await eventually(() => consuming.ping()); // has read the keys
    const publishing = await brokerOf(vhost.url, ofPublisher, true);
    await eventually(() => expect(publishing.canPublish()).toBe(true));

    await givenEvents(database.pool, EVENTS);
    const messages = await takePending(database.pool);
    expect(await publishing.publish(messages, AMPLE_MS)).toEqual(messages.map(() => 'confirmed'));
    await eventually(async () => expect(await countRows(database.pool, 'processing_attempts')).toBe(EVENTS));
    expect((await worker.metrics.distrustedMessages.get()).values.filter(({ value }) => value > 0)).toEqual([]);
  });
});
