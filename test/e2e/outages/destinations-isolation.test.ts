import { setTimeout as sleep } from 'node:timers/promises';
import { allCompleted, statusCounts, TestCluster } from '../../support/processes/e2e-cluster';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenDestination } from '../../support/receivers/destinations';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { answer, TestReceiver } from '../../support/receivers/receiver';
import { countRows } from '../../support/rows';

const EVENTS = 400;

/** What Prometheus would see of a metric without labels. */
async function metric(url: string, name: string): Promise<number> {
  const { text } = await call(`${url}/metrics`);
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('a dead destination', () => {
  let database: TestDatabase;
  let running: TestProcess;
  let healthy: TestReceiver;
  let dead: TestReceiver;
  beforeEach(async () => {
    database = await createTestDatabase();
    running = await startProcess({
      DATABASE_URL: database.url,
      DESTINATIONS_ALLOW_PRIVATE: 'true',
      DELIVERY_RETRY_SCHEDULE_SECONDS: '1,1,1,1,1,1,1,1,1',
    });
    [healthy, dead] = [await TestReceiver.start(), await TestReceiver.start()];
    dead.reaction = () => undefined;
  });
  afterEach(async () => {
    await running.end('SIGKILL');
    await Promise.all([healthy.stop(), dead.stop()]);
    await database.drop();
  });
  const distinct = ({ received }: TestReceiver): number =>
    new Set(received.map(({ headers }) => headers['webhook-id'])).size;

  it('I10: does not delay other tenants, opens its circuit, and uses no tries of the deliveries that wait', async () => {
    await givenDestination(running.url, { tenantId: 'dead', url: dead.url, timeoutMs: 1_000 });
    await givenDestination(running.url, { tenantId: 'healthy', url: healthy.url });
    await postStream(running.url, 'dead', toNdjson(syntheticEvents(EVENTS, 'dead')));
    await postStream(running.url, 'healthy', toNdjson(syntheticEvents(EVENTS, 'healthy')));
    const sentMs = Date.now();
    await eventually(() => expect(distinct(healthy)).toBe(EVENTS));
    const lastMs = Math.max(...healthy.received.map(({ atMs }) => atMs));
    expect(lastMs - sentMs).toBeLessThan(10_000); // a few hundred ms on an idle machine
    expect(healthy.received).toHaveLength(EVENTS);

    await eventually(async () => expect(await metric(running.url, 'streamforge_destinations_open_circuits')).toBe(1));
    await eventually(async () => {
      const { DELIVERING = 0, RETRYING = 0, ...others } = await statusCounts(database.pool, 'dead');
      expect([others, DELIVERING + RETRYING]).toEqual([{}, EVENTS]);
    });
    // Those in flight before the circuit opened, and a probe now and then.
    expect(await countRows(database.pool, 'delivery_attempts')).toBeLessThan(EVENTS + 40);
    expect(await countRows(database.pool, `deliveries where status = 'OPEN' and tries = 0`)).toBeGreaterThan(
      EVENTS - 40,
    );
    // The handlers of all events are done.
    expect(await countRows(database.pool, `retry_schedule`)).toBe(0);
  });

  it('does not stop a healthy destination of its tenant, and gets every event after it recovers', async () => {
    const tenantId = 'both';
    await givenDestination(running.url, { tenantId, url: dead.url, timeoutMs: 500 });
    await givenDestination(running.url, { tenantId, url: healthy.url });
    await postStream(running.url, tenantId, toNdjson(syntheticEvents(EVENTS, tenantId)));
    await eventually(() => expect(distinct(healthy)).toBe(EVENTS), 20_000);
    expect(healthy.received).toHaveLength(EVENTS);

    dead.reaction = answer(200);
    const before = dead.received.length;
    await allCompleted(database.pool, tenantId, EVENTS, 90_000);
    expect(new Set(dead.received.slice(before).map(({ headers }) => headers['webhook-id'])).size).toBe(EVENTS);
    expect(healthy.received).toHaveLength(EVENTS);
  }, 120_000);
});

describe('a destination registered with one process', () => {
  it('gets every event accepted after the registration was answered, from any process', async () => {
    const cluster = await TestCluster.create();
    const receiver = await TestReceiver.start();
    try {
      const env = { DESTINATIONS_ALLOW_PRIVATE: 'true' };
      const api = await cluster.start('api', env);
      await Promise.all([cluster.start('publisher', env), cluster.start('worker', env)]);
      let events = 0;
      const post = async (tenant: string) => {
        const body = `{"eventType":"t","subject":"s","payload":${(events += 1)}}`;
        expect((await postEvent(api.url, tenant, body)).status).toBe(202);
      };
      // The worker has a directory in use while the destination is registered.
      const stop = new AbortController();
      const busy = (async () => {
        while (!stop.signal.aborted) await Promise.all([post('other'), sleep(20)]);
      })();
      for (let n = 1; n <= 3; n++) {
        const tenantId = `new-${n}`;
        await givenDestination(api.url, { tenantId, url: receiver.url });
        await post(tenantId);
        await allCompleted(cluster.pool, tenantId, 1);
        expect(receiver.received).toHaveLength(n);
      }
      stop.abort();
      await busy;
    } finally {
      await receiver.stop();
      await cluster.drop();
    }
  });
});
