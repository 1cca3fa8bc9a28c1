import { Agent } from 'node:http';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createDataSource } from '../../../src/db/migrations/data-source';
import { runPending } from '../../../src/db/migrations/migrate';
import { deliveryRows } from '../../support/deliveries';
import { allCompleted, statusCounts, TestCluster, type Role } from '../../support/processes/e2e-cluster';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { postEvent, postStream, usageOf } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { countRows } from '../../support/rows';
import { endProcess, type TestProcess } from '../../support/processes/process';
import { givenDestination } from '../../support/receivers/destinations';
import { TestReceiver } from '../../support/receivers/receiver';
import { migrateBy, PREVIOUS_RELEASE, THIS_RELEASE } from '../../support/processes/releases';

const ROLES: Role[] = ['api', 'publisher', 'worker'];
const TENANT = 'upgrade';
/** Few, so that processes which start beside them on a small machine get some of it. */
const PRODUCERS = [1, 2];

/** The least that every upgrade may do: a column, a table and an index that the old processes know nothing of. */
class NextRelease9000000000000 implements MigrationInterface {
  readonly name = 'NextRelease9000000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table events add column region text');
    await runner.query(`alter table outbox add column priority smallint not null default 0`);
    await runner.query('create table of_next_release (id uuid primary key)');
    await runner.query('create index of_next_release_index on dead_letters (reason_code)');
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('only for this test'));
  }
}

describe('an upgrade under load', () => {
  let cluster: TestCluster;
  const agent = new Agent({ keepAlive: true });
  const accepted = new Set<string>();
  let apis: TestProcess[] = [];
  let stopped = false;
  let load: Promise<unknown> = Promise.resolve();
  let receiver: TestReceiver;
  beforeAll(async () => {
    receiver = await TestReceiver.start();
    cluster = await TestCluster.create({ migrated: false });
    migrateBy(PREVIOUS_RELEASE, cluster.database.url);
  });
  afterAll(async () => {
    stopped = true; // when a test has failed, they would go on into the next file
    await Promise.allSettled([load]);
    agent.destroy();
    await cluster.drop();
    await receiver.stop();
  });

  const startAll = async (root: string): Promise<TestProcess[]> => {
    const started: TestProcess[] = [];
    for (const role of ROLES) started.push(await cluster.start(role, { DESTINATIONS_ALLOW_PRIVATE: 'true' }, root));
    return started;
  };

  const produce = async (producer: number): Promise<void> => {
    for (const { line, eventId } of syntheticEvents(100_000, `upgrade-${producer}`)) {
      for (let tries = 0; !accepted.has(eventId); tries++) {
        if (stopped) return;
        const api = apis[(producer + tries) % apis.length] as TestProcess;
        try {
          const { status } = await postEvent(api.url, TENANT, line, {}, agent);
          if (status === 202 || status === 200) accepted.add(eventId);
          else expect(status).toBe(503);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === undefined) throw error; // an old api that has ended
        }
        expect(tries).toBeLessThan(100);
      }
    }
  };
  const acceptedMore = async (count: number): Promise<void> => {
    const from = accepted.size;
    await eventually(() => expect(accepted.size).toBeGreaterThan(from + count));
  };

  it('loses and duplicates nothing while old and new processes run side by side', async () => {
    const old = await startAll(PREVIOUS_RELEASE);
    apis = [old[0] as TestProcess];
    await givenDestination((old[0] as TestProcess).url, { tenantId: TENANT, url: receiver.url });
    load = Promise.all(PRODUCERS.map(produce));
    load.catch(() => undefined); // it is awaited below, but may fail before
    await acceptedMore(100);

    migrateBy(THIS_RELEASE, cluster.database.url); // under load, while only old processes run
    await runNextRelease(cluster.database.url);
    await acceptedMore(100); // they go on with a schema that they do not know

    const fresh = await startAll(THIS_RELEASE);
    apis = [old[0] as TestProcess, fresh[0] as TestProcess];
    await acceptedMore(100);
    apis = [fresh[0] as TestProcess];
    expect(await Promise.all(old.map((process) => process.end('SIGTERM')))).toEqual([0, 0, 0]);
    await acceptedMore(100);
    stopped = true;
    await load;

    const { rows } = await cluster.pool.query<{ n: number }>(
      'select count(*)::int as n from events where tenant_id = $1',
      [TENANT],
    );
    const stored = rows[0]?.n as number;
    expect(stored).toBeGreaterThanOrEqual(accepted.size);
    expect(stored).toBeLessThanOrEqual(accepted.size + PRODUCERS.length); // one that was stopped before it heard
    await allCompleted(cluster.pool, TENANT, stored, 60_000);
    expect(await usageOf((fresh[0] as TestProcess).url, TENANT)).toBe(stored);
    expect(await countRows(cluster.pool, `reporting.events where status = 'COMPLETED'`)).toBe(stored);
    await eventually(async () => expect(await countRows(cluster.pool, 'reporting.open_work')).toBe(0));
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(stored);
    expect(await countRows(cluster.pool, 'delivery_queue')).toBe(0);
    for (const process of [...old, ...fresh]) expect(process.output()).not.toMatch(/"level":"(error|fatal)"/);
  }, 240_000);
});

/** It knows nothing of the queue of bundles. */
describe('a worker of the previous release beside a publisher of this one', () => {
  let cluster: TestCluster;
  beforeAll(async () => (cluster = await TestCluster.create()));
  afterAll(() => cluster.drop());

  it('settles all events: before workers of this release come, beside them, and after they were killed', async () => {
    const env = { RECONCILE_AFTER_SECONDS: '3' };
    const api = await cluster.start('api', {}, THIS_RELEASE);
    await cluster.start('publisher', env, THIS_RELEASE);
    await cluster.start('worker', {}, PREVIOUS_RELEASE);
    let sent = 0;
    const send = async (): Promise<void> => {
      const events = syntheticEvents(300, `bundles-${sent}`);
      expect((await postStream(api.url, TENANT, toNdjson(events))).body.summary).toMatchObject({ accepted: 300 });
      sent += events.length;
    };
    await send();
    await allCompleted(cluster.pool, TENANT, sent, 60_000);
    const fresh = cluster.spawnBareWorker();
    await send();
    await allCompleted(cluster.pool, TENANT, sent, 60_000);
    await send();
    await endProcess(fresh, 'SIGKILL'); // maybe with bundles, which nobody else takes
    await send();
    await allCompleted(cluster.pool, TENANT, sent, 60_000);
    expect(await usageOf(api.url, TENANT)).toBe(sent);
  }, 240_000);
});

/** The previous release delivered in a handler, which recorded in handler_effects what each destination had answered. */
describe('events that the previous release has delivered in part', () => {
  let cluster: TestCluster;
  let receivers: [TestReceiver, TestReceiver];
  beforeAll(async () => {
    cluster = await TestCluster.create();
    receivers = [await TestReceiver.start(), await TestReceiver.start()];
  });
  afterAll(async () => {
    await cluster.drop();
    await Promise.all(receivers.map((receiver) => receiver.stop()));
  });

  /** Leaves the event as the previous release does while it waits for a retry. */
  async function waitsForRetry(id: string, effect: string): Promise<void> {
    const insert = (text: string, values: unknown[] = [id]) => cluster.pool.query(`insert into ${text}`, values);
    await insert(`handler_effects (event_id, generation, handler) values ($1, 1, $2)`, [id, effect]);
    await insert(`processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                       worker) values ($1, 1, 1, 1, 'RETRY', 'HTTP_5XX', 1, 'old')`);
    await insert(`event_state (event_id, status, generation, dispatch_no, attempts) values ($1, 'RETRYING', 1, 2, 1)`);
    await insert(`retry_schedule (event_id, dispatch_no, generation, due_at) values ($1, 2, 1, now())`);
  }

  it('are not delivered again where they have arrived or were refused, and complete elsewhere', async () => {
    const env = { DESTINATIONS_ALLOW_PRIVATE: 'true' };
    const api = await cluster.start('api', env, THIS_RELEASE);
    const [first, second] = [
      await givenDestination(api.url, { tenantId: TENANT, url: receivers[0].url }),
      await givenDestination(api.url, { tenantId: TENANT, url: receivers[1].url }),
    ];
    const post = async (n: number) =>
      (await postEvent(api.url, TENANT, `{"eventType":"t","subject":"s","payload":${n}}`)).body.id;
    const [arrived, refused] = [await post(1), await post(2)];
    await waitsForRetry(arrived, `destination:${first.id}`);
    await waitsForRetry(refused, `destination-refused:${first.id}`);
    for (const role of ['publisher', 'worker'] as const) await cluster.start(role, env, THIS_RELEASE);
    await eventually(async () => expect(await statusCounts(cluster.pool, TENANT)).toEqual({ COMPLETED: 1, DLQ: 1 }));
    const rows = await deliveryRows(cluster.pool);
    expect(rows.map((row) => [row.eventId, row.destinationId, row.status, row.attempts])).toEqual([
      [arrived, first.id, 'DELIVERED', 0],
      [arrived, second.id, 'DELIVERED', 1],
      [refused, first.id, 'FAILED', 0],
      [refused, second.id, 'DELIVERED', 1],
    ]);
    expect(receivers.map(({ received }) => received.length)).toEqual([0, 2]);
  }, 120_000);
});

describe('events that the previous release stored', () => {
  /** The previous release knew no other rule. A later one still has it. */
  const INTENT = { DEDUPE_INCLUDE_EVENT_ID: 'false' };
  let cluster: TestCluster;
  let previous: TestProcess;
  let current: TestProcess;
  let withIntent: TestProcess;
  beforeAll(async () => {
    cluster = await TestCluster.create({ migrated: false });
    migrateBy(PREVIOUS_RELEASE, cluster.database.url);
    previous = await cluster.start('api', INTENT, PREVIOUS_RELEASE);
  });
  afterAll(() => cluster.drop());

  const envelope = (subject: string, eventId?: string) =>
    JSON.stringify({ eventType: 't', subject, payload: { a: 1 }, ...(eventId === undefined ? {} : { eventId }) });
  const cloudEvent = (id: string, source = '/a') =>
    JSON.stringify({ specversion: '1.0', id, source, type: 't', subject: 's', data: 1 });
  const CLOUD_EVENT = { 'content-type': 'application/cloudevents+json' };
  const statusOf = async (api: TestProcess, body: string, headers = {}) =>
    (await postEvent(api.url, 'identity', body, headers)).status;

  it('are still duplicates after the upgrade, by the old rule and by the new one', async () => {
    expect(await statusOf(previous, envelope('with id', '1'))).toBe(202);
    expect(await statusOf(previous, envelope('without id'))).toBe(202);
    expect(await statusOf(previous, envelope('keyed'), { 'idempotency-key': 'k' })).toBe(202);
    expect(await statusOf(previous, cloudEvent('ce'), CLOUD_EVENT)).toBe(202);

    migrateBy(THIS_RELEASE, cluster.database.url);
    withIntent = await cluster.start('api', INTENT, THIS_RELEASE);
    current = await cluster.start('api', {}, THIS_RELEASE);
    for (const api of [withIntent, current]) {
      expect(await statusOf(api, envelope('with id', '1'))).toBe(200);
      expect(await statusOf(api, envelope('without id'))).toBe(200);
      expect(await statusOf(api, envelope('keyed'), { 'idempotency-key': 'k' })).toBe(200);
      expect(await statusOf(api, cloudEvent('ce'), CLOUD_EVENT)).toBe(200);
    }
    expect(await statusOf(withIntent, envelope('with id', 'a new id for a retry'))).toBe(200);
    expect(await statusOf(current, envelope('with id', 'another event'))).toBe(202);
    expect(await statusOf(current, cloudEvent('ce', '/b'), CLOUD_EVENT)).toBe(202);
  }, 120_000);

  it('and events of this build are duplicates for the previous one, while both run', async () => {
    const events: [string, object][] = [
      [envelope('rolling', 'r1'), {}],
      [envelope('rolling without id'), {}],
      [cloudEvent('rolling'), CLOUD_EVENT],
    ];
    for (const [body, headers] of events) {
      expect(await statusOf(current, body, headers)).toBe(202);
      expect(await statusOf(previous, body, headers)).toBe(200);
    }
  }, 120_000);
});

/** As a new build's `npm run migrate` would: the same data source, one migration more. */
async function runNextRelease(databaseUrl: string): Promise<void> {
  const known = createDataSource(databaseUrl).options;
  const migrations = [...(known.migrations as (new () => MigrationInterface)[]), NextRelease9000000000000];
  const dataSource = await new DataSource({ ...known, migrations }).initialize();
  try {
    expect(await runPending(dataSource)).toEqual(['NextRelease9000000000000']);
  } finally {
    await dataSource.destroy();
  }
}
