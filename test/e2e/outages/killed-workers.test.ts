import { statusCounts, TestCluster } from '../../support/processes/e2e-cluster';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { postStream, usageOf } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { endProcess, type TestProcess } from '../../support/processes/process';

const TENANTS = ['north', 'east', 'south', 'west'];
const KILLS = 20;
const EVENTS_OF_TENANT_PER_KILL = 250;
const EVENTS_OF_TENANT = KILLS * EVENTS_OF_TENANT_PER_KILL;

/** Production sizes: what is killed has hundreds of deliveries in hand. */
const SIZES = {
  RABBITMQ_PREFETCH: '500',
  WORKER_BATCH_SIZE: '100',
  OUTBOX_BATCH_SIZE: '200',
  RECONCILE_AFTER_SECONDS: '60',
};

describe('killed workers', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    [api] = await Promise.all([cluster.start('api'), cluster.start('publisher', SIZES)]);
  });
  afterAll(() => cluster.drop());

  const count = async (sql: string): Promise<number> => (await cluster.pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
  const successes = () => count(`select count(*)::int as n from processing_attempts where status = 'SUCCESS'`);

  it(`I5, I7, I13: lose nothing and count nothing twice after ${KILLS} kills under load of ${TENANTS.length} tenants`, async () => {
    const workers = Array.from({ length: 4 }, () => cluster.spawnBareWorker(SIZES));
    let inTheMiddle = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await successes();
      await Promise.all(
        TENANTS.map(async (tenant) => {
          const events = syntheticEvents(EVENTS_OF_TENANT_PER_KILL, `${tenant}-${kill}`);
          const answer = await postStream(api.url, tenant, toNdjson(events));
          expect(answer.body.summary).toMatchObject({ accepted: events.length });
        }),
      );
      workers.push(cluster.spawnBareWorker(SIZES)); // takes over while the oldest dies
      await eventually(async () => expect(await successes()).toBeGreaterThan(before + 100));
      const oldest = workers.shift();
      if (oldest) await endProcess(oldest, 'SIGKILL');
      if ((await successes()) < (kill + 1) * TENANTS.length * EVENTS_OF_TENANT_PER_KILL) inTheMiddle += 1;
    }
    for (const tenant of TENANTS) {
      await eventually(
        async () => expect(await statusCounts(cluster.pool, tenant)).toEqual({ COMPLETED: EVENTS_OF_TENANT }),
        60_000,
      );
      expect(await usageOf(api.url, tenant)).toBe(EVENTS_OF_TENANT);
    }
    const { rows } = await cluster.pool.query(
      `select (select count(*)::int from processing_attempts) as attempts,
              (select count(distinct event_id)::int from processing_attempts where status = 'SUCCESS') as succeeded,
              (select count(*)::int from dead_letters) as dead,
              (select count(*)::int from crash_trials) as trials`,
    );
    const total = TENANTS.length * EVENTS_OF_TENANT;
    expect(rows).toEqual([{ attempts: total, succeeded: total, dead: 0, trials: 0 }]);
    expect(inTheMiddle).toBeGreaterThan(KILLS / 2);
    await Promise.all(workers.map((worker) => endProcess(worker, 'SIGKILL')));
  }, 180_000);

  it('dead-letter the one event that keeps killing them, and complete its neighbours', async () => {
    const types = ['order.paid', 'order.paid', 'test.crash', 'order.paid', 'order.paid'];
    const lines = types.map((eventType, i) => JSON.stringify({ eventType, subject: 's', payload: { i } }));
    await postStream(api.url, 'crash', lines.map((line) => `${line}\n`).join(''));
    let crashes = 0;
    for (let dead = false; !dead;) {
      const worker = cluster.spawnBareWorker(SIZES);
      dead = await eventually(async () => {
        if (worker.signalCode === 'SIGKILL') return false;
        expect(await statusCounts(cluster.pool, 'crash')).toEqual({ COMPLETED: 4, DLQ: 1 });
        return true;
      });
      if (dead) await endProcess(worker, 'SIGKILL');
      else crashes += 1;
      expect(crashes).toBeLessThan(6);
    }
    expect(crashes).toBe(4); // one among a batch, which accuses nobody, and three alone
    const letters = await cluster.pool.query(
      `select reason_code, attempts from dead_letters where tenant_id = 'crash'`,
    );
    expect(letters.rows).toEqual([{ reason_code: 'WORKER_CRASH', attempts: 1 }]);
    expect(await usageOf(api.url, 'crash')).toBe(4);
  });
});
