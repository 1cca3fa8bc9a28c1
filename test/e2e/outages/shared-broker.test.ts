import { setTimeout as sleep } from 'node:timers/promises';
import { changeInstallation } from '../../../src/commands/installation/change-installation';
import { startTestApp, type TestApp } from '../../support/app';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openVhost } from '../../support/broker/rabbit-queues';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { getEvent, postEvent, usageOf } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { dumped } from '../../support/processes/e2e-own-servers';
import { countRows } from '../../support/rows';
import { givenDestination } from '../../support/receivers/destinations';
import { answer, TestReceiver } from '../../support/receivers/receiver';

const TENANT = 'acme';
const WAIT_MS = 60_000;
const EVENTS = 30;
const TWO_BEATS_MS = 2_000;
/** Too few failures to open the circuit of a destination. */
const FEW = 2;

interface Ready {
  status: string;
  checks: { rabbitmq: { status: string; message?: string } };
}

describe('production and staging', () => {
  let receiver: TestReceiver;
  let vhost: string;
  beforeEach(async () => {
    ({ url: vhost } = await openVhost());
    receiver = await TestReceiver.start();
    atTheEnd(() => receiver.stop());
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await closeAll();
  });

  const newDatabase = async (migrated = true): Promise<TestDatabase> => {
    const database = await createTestDatabase({ migrated });
    atTheEnd(() => database.drop());
    if (migrated) await database.pool.query('update installation set incarnation = gen_random_uuid()');
    return database;
  };
  const start = async ({ url }: TestDatabase, env: Record<string, string>): Promise<TestApp> => {
    const servers = { REDIS_URL: process.env.TEST_REDIS_URL as string, RABBITMQ_URL: vhost };
    const app = await startTestApp(url, { ...servers, DESTINATIONS_ALLOW_PRIVATE: 'true', RETRY_JITTER: '0', ...env });
    atTheEnd(() => app.close());
    return app;
  };
  const send = async (url: string, from = 0, count = EVENTS): Promise<string[]> => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        postEvent(url, TENANT, JSON.stringify(eventBody({ subject: `${from + i}` }))),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    return answers.map(({ body }) => body.id);
  };
  const readiness = async ({ url }: TestApp): Promise<[status: number, body: Ready]> => {
    const response = await fetch(`${url}/ready`);
    return [response.status, (await response.json()) as Ready];
  };
  const saysWhy = (app: TestApp, why: RegExp): Promise<void> =>
    eventually(async () => {
      const [status, { checks, ...body }] = await readiness(app);
      expect([status, body.status, checks.rabbitmq.status]).toEqual([503, 'not-ready', 'down']);
      expect(checks.rabbitmq.message).toMatch(why);
    }, WAIT_MS);
  const completed = (url: string, ids: readonly string[]): Promise<void> =>
    eventually(async () => {
      const statuses = await Promise.all(ids.map(async (id) => (await getEvent(url, TENANT, id)).body.status));
      expect(statuses).toEqual(ids.map(() => 'COMPLETED'));
    }, WAIT_MS);

  it('do not meet on one virtual host: nothing of staging runs in production', async () => {
    const [production, staging] = [await newDatabase(), await newDatabase()];
    const [own, theirs] = [await start(production, {}), await start(staging, { APP_ROLE: 'api' })];
    await givenDestination(own.url, { tenantId: TENANT, url: receiver.url });
    await completed(own.url, await send(own.url));
    await eventually(() => expect(receiver.received).toHaveLength(EVENTS), WAIT_MS);

    const workers = await start(staging, { APP_ROLE: 'publisher,worker' });
    const sent = await send(theirs.url);
    await saysWhy(workers, /^The virtual host belongs to another installation of StreamForge/);
    expect(await countRows(staging.pool, `outbox where status = 'PENDING'`)).toBe(EVENTS);
    await workers.close();

    await start(staging, { APP_ROLE: 'publisher,worker', BROKER_NAMESPACE: 'staging' });
    await completed(theirs.url, sent);
    await completed(own.url, await send(own.url, EVENTS));
    await eventually(() => expect(receiver.received).toHaveLength(2 * EVENTS), WAIT_MS);
    const ofStaging = new Set(sent);
    expect(receiver.received.filter(({ body }) => ofStaging.has((JSON.parse(body) as { id: string }).id))).toEqual([]);
    expect(await usageOf(own.url, TENANT)).toBe(2 * EVENTS);
    expect(await countRows(staging.pool, 'processing_attempts')).toBe(EVENTS);
  });

  it('are told apart when staging is a dump of production, until a command has said what it is', async () => {
    const [production, staging] = [await newDatabase(), await newDatabase(false)];
    const own = await start(production, {});
    receiver.reaction = answer(500);
    await givenDestination(own.url, {
      tenantId: TENANT,
      url: receiver.url,
      retrySchedule: [2, 2, 2, 2, 2, 2, 2, 2, 2],
    });
    await send(own.url, 0, FEW);
    await eventually(() => expect(receiver.received.length).toBeGreaterThanOrEqual(FEW), WAIT_MS);
    await own.close(); // with deliveries that wait for their next try
    dumped(production.url).restore(staging.url);
    const open = await countRows(staging.pool, 'delivery_queue');
    expect(open).toBeGreaterThan(0);
    receiver.reaction = answer(200);
    const before = receiver.received.length;

    const theirs = await start(staging, { APP_ROLE: 'api' });
    const sent = await send(theirs.url, EVENTS);
    const workers = await start(staging, { APP_ROLE: 'publisher,worker' });
    await saysWhy(workers, /^This database is a copy .*"npm run installation -- --confirm"/);
    await sleep(TWO_BEATS_MS); // by now each delivery is due, and would have been claimed
    expect(receiver.received).toHaveLength(before);
    expect(await countRows(staging.pool, `outbox where status = 'PENDING'`)).toBe(EVENTS);

    jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
    await changeInstallation(staging.url, 'confirm', false);
    await completed(theirs.url, sent);
    await eventually(async () => expect(await countRows(staging.pool, 'delivery_queue')).toBe(0), WAIT_MS);
    expect(receiver.received.length - before).toBe(open + EVENTS);
    expect((await readiness(workers))[1].status).toBe('ready');
  });
});
