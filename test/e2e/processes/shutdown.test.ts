import { Agent } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { allCompleted, caughtBetween, TestCluster } from '../../support/processes/e2e-cluster';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { getEvent, postEvent, postStream, usageOf, type ProblemAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';

const LOAD = 2_000;
const GRACE_MS = 6_000;

describe('SIGTERM', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    api = await start('api');
  });
  afterAll(() => cluster.drop());

  const start = (role: 'api' | 'publisher' | 'worker', env: Record<string, string> = {}) =>
    cluster.start(role, { SHUTDOWN_GRACE_MS: String(GRACE_MS), ...env });
  const endTimed = async (process: TestProcess): Promise<{ code: number | null; ms: number }> => {
    const startedMs = performance.now();
    return { code: await process.end('SIGTERM'), ms: performance.now() - startedMs };
  };
  const expectEndedWithinGrace = async (process: TestProcess): Promise<void> => {
    const { code, ms } = await endTimed(process);
    expect({ code, output: process.output() }).toMatchObject({ code: 0 });
    expect(ms).toBeLessThan(GRACE_MS);
  };
  const takesNoMore = ({ url }: TestProcess) =>
    eventually(() =>
      expect(getEvent(url, 'nobody', 'x')).rejects.toMatchObject({ code: expect.any(String) as string }),
    );
  const load = async (tenant: string): Promise<void> => {
    const { body } = await postStream(api.url, tenant, toNdjson(syntheticEvents(LOAD, tenant)));
    expect(body.summary.accepted).toBe(LOAD);
  };

  /** Posts one event after the other until the server is gone; collects the ids that it was given. */
  const postUntilGone = async (url: string, name: string, accepted: string[], agent?: Agent): Promise<void> => {
    for (const { line } of syntheticEvents(2_000, name)) {
      try {
        const { status, body } = await postEvent(url, 'under-load', line, {}, agent);
        expect([200, 202]).toContain(status);
        accepted.push(body.id);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
        return; // refused or reset: the server is gone
      }
    }
  };

  it.each([
    ['new connections', undefined],
    ['kept connections', new Agent({ keepAlive: true })],
  ])('loses no event that an api answered 2xx, under load on %s', async (_which, agent) => {
    const leaving = await start('api');
    const accepted: string[] = [];
    const clients = Array.from({ length: 20 }, (_, i) =>
      postUntilGone(leaving.url, `${_which}-${i}`.replace(' ', '-'), accepted, agent),
    );
    await eventually(() => expect(accepted.length).toBeGreaterThan(300));
    await expectEndedWithinGrace(leaving);
    await Promise.all(clients);
    agent?.destroy();
    const { rows } = await cluster.pool.query<{ n: number }>(
      'select count(*)::int as n from events where id = any($1::uuid[])',
      [accepted],
    );
    expect(rows).toEqual([{ n: new Set(accepted).size }]);
  });

  it.each([
    ['a connection of its own', undefined],
    ['a connection that the client keeps open', new Agent({ keepAlive: true })],
  ])('lets an api finish and answer a stream on %s', async (_which, agent) => {
    const tenant = agent ? 'last-kept-stream' : 'last-stream';
    const leaving = await start('api');
    const events = syntheticEvents(200, tenant);
    const body = new Readable({ read: () => undefined });
    const answer = postStream(leaving.url, tenant, body, {}, agent);
    body.push(toNdjson(events.slice(0, 100)));
    await eventually(async () => expect((await getEvent(leaving.url, tenant, `${tenant}-99`)).status).toBe(200));
    const ended = endTimed(leaving);
    await takesNoMore(leaving);
    body.push(toNdjson(events.slice(100)));
    body.push(null);
    expect((await answer).body.summary).toMatchObject({ records: 200, accepted: 200 });
    const { code, ms } = await ended;
    agent?.destroy();
    expect({ code, output: leaving.output() }).toMatchObject({ code: 0 });
    expect(ms).toBeLessThan(GRACE_MS);
  });

  it('lets a publisher under load settle or release its entries, and another one continues', async () => {
    const leaving = await start('publisher');
    await load('leaving-publisher');
    const published = `select count(*)::int as n from outbox o join events e on e.id = o.event_id
                        where e.tenant_id = 'leaving-publisher' and o.status = 'PUBLISHED'`;
    await caughtBetween(cluster.pool, published, 100, LOAD);
    await expectEndedWithinGrace(leaving);
    const { rows } = await cluster.pool.query("select from outbox where status = 'IN_FLIGHT'");
    expect(rows).toHaveLength(0);
    const [publisher, worker] = await Promise.all([start('publisher'), start('worker', { RABBITMQ_PREFETCH: '500' })]);
    await allCompleted(cluster.pool, 'leaving-publisher', LOAD);
    expect(await usageOf(api.url, 'leaving-publisher')).toBe(LOAD);
    await Promise.all([expectEndedWithinGrace(publisher), expectEndedWithinGrace(worker)]);
  });

  it('lets a worker under load settle its events, and another one completes the rest with exact counters', async () => {
    const publisher = await start('publisher');
    const leaving = await start('worker');
    await load('leaving-worker');
    const settled = `select count(*)::int as n from processing_attempts a join events e on e.id = a.event_id
                      where e.tenant_id = 'leaving-worker'`;
    await caughtBetween(cluster.pool, settled, 100, LOAD);
    await expectEndedWithinGrace(leaving);
    const { rows } = await cluster.pool.query<{ n: number }>(settled);
    expect(rows[0]?.n).toBeLessThan(LOAD);
    const next = await start('worker');
    await allCompleted(cluster.pool, 'leaving-worker', LOAD);
    expect(await usageOf(api.url, 'leaving-worker')).toBe(LOAD);
    await Promise.all([expectEndedWithinGrace(publisher), expectEndedWithinGrace(next)]);
  });

  it.each(['publisher', 'worker'] as const)('ends an idle %s without a broker with code 0', async (role) => {
    const idle = await start(role, { RABBITMQ_URL: 'amqp://127.0.0.1:1' });
    await expectEndedWithinGrace(idle);
  });

  const stuck = async (env: Record<string, string> = {}): Promise<TestProcess> => {
    const waiting = await start('api', env);
    const endless = new Readable({ read: () => undefined });
    endless.push(toNdjson(syntheticEvents(1, 'endless')));
    postStream(waiting.url, `endless-${waiting.child.pid}`, endless).catch(() => undefined);
    await eventually(async () =>
      expect((await getEvent(waiting.url, `endless-${waiting.child.pid}`, 'endless-0')).status).toBe(200),
    );
    return waiting;
  };

  it('ends an api with an endless request at once when it is sent twice', async () => {
    const waiting = await stuck();
    const ended = waiting.end('SIGTERM');
    await takesNoMore(waiting);
    expect(waiting.child.exitCode).toBeNull();
    const startedMs = performance.now();
    waiting.child.kill('SIGTERM');
    expect(await ended).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('ends an endless upload with the truth, and the api with code 0', async () => {
    const leaving = await start('api', { SHUTDOWN_GRACE_MS: '8000' });
    const upload = new Readable({ read: () => undefined });
    upload.push(toNdjson(syntheticEvents(100, 'truth')));
    const answer = postStream<ProblemAnswer>(leaving.url, 'truth', upload);
    const { hostname, port } = new URL(leaving.url);
    const unfinished = connect(Number(port), hostname).on('error', () => undefined);
    unfinished.write('POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Tenant-Id: truth\r\nContent-Type: application/json\r\n');
    unfinished.write('Content-Length: 1000\r\n\r\n{');
    await eventually(async () => expect((await getEvent(leaving.url, 'truth', 'truth-99')).status).toBe(200));
    const { code, ms } = await endTimed(leaving);
    expect({ code, output: leaving.output() }).toMatchObject({ code: 0 });
    expect(ms).toBeLessThan(8_000);
    const { status, headers, body } = await answer;
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { code: 'overloaded', summary: { records: 100, accepted: 100 }, lastCommittedRecord: 100 },
    });
    expect(headers['retry-after']).toBeDefined();
    upload.destroy();
  });

  it('ends an api whose database never answers with code 1 and a reason after the grace period', async () => {
    const waiting = await start('api', { SHUTDOWN_GRACE_MS: '500' });
    const locking = await cluster.pool.connect();
    try {
      await locking.query('begin; lock table events in access exclusive mode');
      postEvent(waiting.url, 'locked', syntheticEvents(1, 'locked')[0]?.line as string, {}).catch(() => undefined);
      await eventually(async () => {
        const { rows } = await cluster.pool.query("select from pg_stat_activity where wait_event_type = 'Lock'");
        expect(rows.length).toBeGreaterThan(0);
      });
      const { code, ms } = await endTimed(waiting);
      expect(code).toBe(1);
      expect(ms).toBeGreaterThan(400);
      expect(ms).toBeLessThan(5_000);
      expect(waiting.output()).toMatch(/SIGTERM: .*SHUTDOWN_GRACE_MS/);
    } finally {
      await locking.query('rollback');
      locking.release();
    }
  });
});
