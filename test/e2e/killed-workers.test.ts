import { statusCounts, TestCluster } from '../support/e2e-cluster';
import { syntheticEvents, toNdjson } from '../support/e2e-events';
import { postStream, usageOf } from '../support/e2e-http';
import { eventually } from '../support/eventually';
import type { TestProcess } from '../support/process';

const TENANTS = ['north', 'east', 'south', 'west'];
const EVENTS_OF_TENANT = 5_000;
const KILLS = 20;

/** Production sizes: what is killed has hundreds of deliveries in hand. */
const SIZES = { RABBITMQ_PREFETCH: '500', WORKER_BATCH_SIZE: '100', OUTBOX_BATCH_SIZE: '200' };

describe('workers that are killed again and again', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    [api] = await Promise.all([cluster.start('api'), cluster.start('publisher', SIZES)]);
  }, 60_000);
  afterAll(() => cluster.drop());

  const successes = async (): Promise<number> => {
    const { rows } = await cluster.pool.query<{ n: number }>(
      `select count(*)::int as n from processing_attempts where status = 'SUCCESS'`,
    );
    return rows[0]?.n ?? 0;
  };

  it(`I5, I7, I13: ${KILLS} times, under load of ${TENANTS.length} tenants, lose nothing and count nothing twice`, async () => {
    const sending = Promise.all(
      TENANTS.map(async (tenant) => {
        // In parts, so that the load lasts as long as the killing.
        for (let part = 0; part < 10; part++) {
          const events = syntheticEvents(EVENTS_OF_TENANT / 10, `${tenant}-${part}`);
          const answer = await postStream(api.url, tenant, toNdjson(events));
          expect(answer.body.summary).toMatchObject({ accepted: events.length });
        }
      }),
    );
    const total = TENANTS.length * EVENTS_OF_TENANT;
    let killedInTheMiddle = 0;
    // Two at a time; the next one starts while the other still works.
    let workers = await Promise.all([cluster.start('worker', SIZES), cluster.start('worker', SIZES)]);
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await successes();
      const goal = Math.min(before + 1, total);
      await eventually(async () => expect(await successes()).toBeGreaterThanOrEqual(goal), 20_000);
      const [oldest, other] = workers;
      await oldest.end('SIGKILL');
      if ((await successes()) < total) killedInTheMiddle += 1;
      workers = [other, await cluster.start('worker', SIZES)];
    }
    await sending;
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
    expect(rows).toEqual([{ attempts: total, succeeded: total, dead: 0, trials: 0 }]);
    expect(killedInTheMiddle).toBeGreaterThan(0);
    process.stdout.write(`${killedInTheMiddle} of ${KILLS} workers were killed before all was done\n`);
  }, 180_000);
});
