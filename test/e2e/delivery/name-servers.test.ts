import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryAttempts } from '../../support/deliveries';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { getEvent, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { TestNameServer } from '../../support/name-server';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { givenDestination } from '../../support/receivers/destinations';
import { TestReceiver } from '../../support/receivers/receiver';

const SILENT = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.silent.test`);
/** An address is remembered for 5 s at least. */
const FORGOTTEN_MS = 5_500;

describe('destinations and their name servers', () => {
  let database: TestDatabase;
  let names: TestNameServer;
  let receiver: TestReceiver;
  let running: TestProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    names = await TestNameServer.start();
    receiver = await TestReceiver.start();
    running = await startProcess({
      DATABASE_URL: database.url,
      DESTINATIONS_ALLOW_PRIVATE: 'true',
      DESTINATIONS_NAME_SERVERS: names.address,
      RETRY_BACKOFF_MS: '200',
    });
  });
  afterAll(async () => {
    await running.end('SIGTERM');
    await receiver.stop();
    await names.stop();
    await database.drop();
  });

  const given = (tenantId: string, host: string, more: Record<string, unknown> = {}) =>
    givenDestination(running.url, { tenantId, url: `http://${host}:${receiver.port}/`, ...more });
  const send = async (tenant: string): Promise<string> =>
    (await postEvent(running.url, tenant, `{"eventType":"x","subject":"${Math.random()}","payload":1}`)).body.id;

  it('delivers to a name that is a CNAME, and to a name of /etc/hosts', async () => {
    names.names.set('shop.alias.test', { cname: 'edge.alias.test' });
    names.names.set('edge.alias.test', { addresses: ['127.0.0.1'] });
    await given('alias', 'shop.alias.test');
    await given('alias', 'localhost');
    const id = await send('alias');
    await eventually(() => expect(receiver.of(id)).toHaveLength(2));
  });

  it('I10: silent name servers of one tenant neither slow the deliveries of another nor cost them a try', async () => {
    for (const name of [...SILENT, 'healthy.test']) names.names.set(name, { addresses: ['127.0.0.1'], ttlSeconds: 0 });
    for (const name of SILENT) await given('silenced', name, { maxInFlight: 16 });
    await given('healthy', 'healthy.test');
    for (const name of SILENT) names.names.set(name, 'silent');
    await sleep(FORGOTTEN_MS);
    await Promise.all(Array.from({ length: 20 }, () => send('silenced')));
    const tookMs: number[] = [];
    for (let n = 0; n < 12; n++) {
      const startMs = performance.now();
      const id = await send('healthy');
      await eventually(async () => expect((await getEvent(running.url, 'healthy', id)).body.status).toBe('COMPLETED'));
      tookMs.push(performance.now() - startMs);
      const log = await deliveryAttempts(database.pool, id);
      expect(log.map(({ reasonCode }) => reasonCode)).toEqual(['PROCESSED']);
      await sleep(500); // beyond the time for which an address is remembered
    }
    expect(tookMs.sort((a, b) => a - b).at(-2)).toBeLessThan(1_500);
    expect(names.queries.filter((query) => query.startsWith('healthy.test')).length).toBeGreaterThan(2);
  });

  it('retries a delivery whose name servers did not answer, with TIMEOUT', async () => {
    names.names.set('later.test', { addresses: ['127.0.0.1'], ttlSeconds: 0 });
    await given('later', 'later.test', { retrySchedule: [0.2, 0.2, 0.2] });
    names.names.set('later.test', 'silent');
    await sleep(FORGOTTEN_MS);
    const id = await send('later');
    await eventually(async () => expect((await deliveryAttempts(database.pool, id)).length).toBeGreaterThan(0));
    names.names.set('later.test', { addresses: ['127.0.0.1'] });
    await eventually(() => expect(receiver.of(id)).toHaveLength(1));
    const log = await deliveryAttempts(database.pool, id);
    expect(log[0]?.reasonCode).toBe('TIMEOUT');
  });
});
