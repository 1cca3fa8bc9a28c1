import { Agent } from 'node:http';
import { allCompleted, TestCluster, type Role } from '../../support/processes/e2e-cluster';
import { syntheticEvents } from '../../support/e2e-events';
import { postEvent, usageOf } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';

const TENANT = 'many';
const PRODUCERS = 8;
const KILL_EVERY = 400;

describe('two api, two publisher and three worker processes', () => {
  let cluster: TestCluster;
  let apis: TestProcess[];
  let publishers: TestProcess[];
  let workers: TestProcess[];
  beforeAll(async () => {
    cluster = await TestCluster.create();
    // One after the other: seven that start at once starve each other on a small machine.
    const start = async (role: Role, count: number): Promise<TestProcess[]> => {
      const started: TestProcess[] = [];
      while (started.length < count) started.push(await cluster.start(role));
      return started;
    };
    apis = await start('api', 2);
    publishers = await start('publisher', 2);
    workers = await start('worker', 3);
  }, 180_000);
  afterAll(() => cluster.drop());

  const agent = new Agent({ keepAlive: true });
  afterAll(() => agent.destroy());
  const accepted = new Map<string, string>();
  let stopped = false;

  /** Sends each event until somebody accepts it, as producers do: to the other api when the one does not answer. */
  const produce = async (producer: number): Promise<void> => {
    for (const { line, eventId } of syntheticEvents(100_000, `many-${producer}`)) {
      if (stopped) return;
      for (let tries = 0; !accepted.has(eventId); tries++) {
        const api = apis[(producer + tries) % apis.length] as TestProcess;
        try {
          const { status, body } = await postEvent(api.url, TENANT, line, {}, agent);
          if (status === 202 || status === 200) accepted.set(eventId, body.id);
          else expect(status).toBe(503);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === undefined) throw error; // anything but a broken connection
        }
        expect(tries).toBeLessThan(100);
      }
    }
  };
  const acceptedMore = async (count: number): Promise<void> => {
    const from = accepted.size;
    await eventually(() => expect(accepted.size).toBeGreaterThan(from + count));
  };

  it('I1–I7, I13: lose and duplicate nothing when one of each role is killed under load', async () => {
    const load = Promise.all(Array.from({ length: PRODUCERS }, (_, n) => produce(n)));
    for (const victims of [workers, publishers, apis]) {
      await acceptedMore(KILL_EVERY);
      await (victims[0] as TestProcess).end('SIGKILL');
    }
    await acceptedMore(KILL_EVERY);
    stopped = true;
    await load;

    await allCompleted(cluster.pool, TENANT, accepted.size, 60_000);
    expect(await usageOf((apis[1] as TestProcess).url, TENANT)).toBe(accepted.size);
    const { rows } = await cluster.pool.query<{ events: number; successes: number; answered: number }>(
      `select (select count(*)::int from events where tenant_id = $1) as events,
              (select count(*)::int from events where tenant_id = $1 and id = any ($2::uuid[])) as answered,
              (select count(*)::int from processing_attempts a join events e on e.id = a.event_id
                where e.tenant_id = $1 and a.status = 'SUCCESS') as successes`,
      [TENANT, [...accepted.values()]],
    );
    expect(rows).toEqual([{ events: accepted.size, answered: accepted.size, successes: accepted.size }]);
    process.stdout.write(`many processes: ${accepted.size} accepted, all COMPLETED, effects exact\n`);
  }, 180_000);

  it('I15: exit with code 0 on SIGTERM', async () => {
    const left = [...apis.slice(1), ...publishers.slice(1), ...workers.slice(1)];
    expect(await Promise.all(left.map((running) => running.end('SIGTERM')))).toEqual(left.map(() => 0));
  });
});
