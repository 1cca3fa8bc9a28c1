import { Agent } from 'node:http';
import { allCompleted, caughtBetween, statusCounts, TestCluster } from '../../support/processes/e2e-cluster';
import { syntheticEvents, toNdjson, type SyntheticEvent } from '../../support/e2e-events';
import { getEvent, postStream, usageOf } from '../../support/e2e-http';
import { closeConnections, listConnections, purgeQueue } from '../../support/broker/e2e-rabbit';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';

const LOAD = 2_000;

describe('three processes on PostgreSQL, Redis and RabbitMQ', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  let publisher: TestProcess;
  let worker: TestProcess;
  const keepAlive = new Agent({ keepAlive: true, maxSockets: 10 });
  beforeAll(async () => {
    cluster = await TestCluster.create();
    [api, publisher, worker] = await Promise.all([
      cluster.start('api'),
      cluster.start('publisher'),
      cluster.start('worker'),
    ]);
  });
  afterAll(async () => {
    keepAlive.destroy();
    await cluster.drop();
  });

  const successesOf = (tenant: string) =>
    `select count(*)::int as n from processing_attempts a join events e on e.id = a.event_id
      where e.tenant_id = '${tenant}' and a.status = 'SUCCESS'`;
  const publishedOf = (tenant: string) =>
    `select count(*)::int as n from outbox o join events e on e.id = o.event_id
      where e.tenant_id = '${tenant}' and o.status = 'PUBLISHED'`;
  const count = async (sql: string): Promise<number> => (await cluster.pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
  const send = async (tenant: string, events: SyntheticEvent[]): Promise<void> => {
    const answer = await postStream(api.url, tenant, toNdjson(events));
    expect(answer.body.summary).toMatchObject({ records: events.length, accepted: events.length });
  };
  /** All settled, each once: the counters are exact and every event has one success. */
  const expectAllOnce = async (tenant: string, events: number, timeoutMs?: number): Promise<void> => {
    await allCompleted(cluster.pool, tenant, events, timeoutMs);
    expect(await usageOf(api.url, tenant)).toBe(events);
    expect(await count(successesOf(tenant))).toBe(events);
  };

  const TENANT = 'sample';
  const events = syntheticEvents(676, 'sample');

  it('accept and complete a stream of 676 events and return every payload unchanged', async () => {
    await send(TENANT, events);
    await expectAllOnce(TENANT, 676);
    const answers = await Promise.all(events.map(({ eventId }) => getEvent(api.url, TENANT, eventId, keepAlive)));
    answers.forEach(({ status, text, body }, i) => {
      const sent = events[i] as SyntheticEvent;
      expect([status, body.status, body.type]).toEqual([200, 'COMPLETED', sent.type]);
      expect(text).toContain(`"payload":${sent.payloadText},"status"`);
      expect(body.attempts).toMatchObject([{ attemptNumber: 1, dispatch: 1, status: 'SUCCESS' }]);
    });
  });

  it('report 676 duplicates for the same stream and change nothing', async () => {
    const facts = 'select md5(string_agg(e::text, $$ $$ order by e.id)) as digest from events e where tenant_id = $1';
    const before = await cluster.pool.query(facts, [TENANT]);
    const again = await postStream(api.url, TENANT, toNdjson(events));
    expect(again.status).toBe(202);
    expect(again.body.summary).toMatchObject({ records: 676, accepted: 0, duplicates: 676, rejected: 0 });
    // What a second processing would need comes after this event, so it would have been counted by then.
    await send('after-sample', syntheticEvents(1, 'after-sample'));
    await allCompleted(cluster.pool, 'after-sample', 1);
    expect((await cluster.pool.query(facts, [TENANT])).rows).toEqual(before.rows);
    await expectAllOnce(TENANT, 676);
  });

  it('I5, I7: lose nothing and count nothing twice when the worker is killed under load', async () => {
    await send('killed-worker', syntheticEvents(LOAD, 'killed-worker'));
    await caughtBetween(cluster.pool, successesOf('killed-worker'), 100, LOAD);
    await worker.end('SIGKILL');
    expect(await count(successesOf('killed-worker'))).toBeLessThan(LOAD);
    worker = await cluster.start('worker');
    await expectAllOnce('killed-worker', LOAD);
  });

  it('I3, I4: lose nothing and count nothing twice when the publisher is killed under load', async () => {
    await send('killed-publisher', syntheticEvents(LOAD, 'killed-publisher'));
    await caughtBetween(cluster.pool, publishedOf('killed-publisher'), 100, LOAD);
    await publisher.end('SIGKILL');
    expect(await count(publishedOf('killed-publisher'))).toBeLessThan(LOAD);
    publisher = await cluster.start('publisher');
    await expectAllOnce('killed-publisher', LOAD);
  });

  it('I13: lose nothing when a queue with messages is purged', async () => {
    expect(await worker.end('SIGTERM')).toBe(0);
    // As many as publishers let wait while the workers are gone for a moment.
    await send('purged', syntheticEvents(200, 'purged'));
    await eventually(async () => expect(await statusCounts(cluster.pool, 'purged')).toEqual({ PUBLISHED: 200 }));
    await purgeQueue(cluster.vhost.name, 'events.main');
    worker = await cluster.start('worker');
    await expectAllOnce('purged', 200);
    const again = `${successesOf('purged')} and a.dispatch_no = 2`;
    expect(await count(again)).toBe(200); // all by the reconciler, none by the purged messages
  });

  it('I9: lose no event and use no attempt when RabbitMQ closes their connections under load', async () => {
    const tenant = 'cut-off';
    // One each of publisher and worker; the broker lists them some seconds late.
    await eventually(async () => expect(await listConnections(cluster.vhost.name)).toHaveLength(2), 20_000);
    const sending = (async () => {
      for (let part = 0; part < 4; part++) await send(tenant, syntheticEvents(LOAD / 4, `cut-off-${part}`));
    })();
    await caughtBetween(cluster.pool, successesOf(tenant), 50, LOAD);
    expect(await closeConnections(cluster.vhost.name)).toBe(2);
    expect(await count(successesOf(tenant))).toBeLessThan(LOAD);
    await sending;
    await expectAllOnce(tenant, LOAD);
    const { rows } = await cluster.pool.query(
      `select from processing_attempts a join events e on e.id = a.event_id where a.status <> 'SUCCESS' and e.tenant_id = $1`,
      [tenant],
    );
    expect(rows).toHaveLength(0);
    const failed = await cluster.pool.query(`select from outbox where status = 'FAILED'`);
    expect(failed.rows).toHaveLength(0);
  });

  it('I1: have stored every event that was answered 2xx when the api is killed under load', async () => {
    const answered: string[] = [];
    let killed = false;
    const producer = async (name: string): Promise<void> => {
      for (const { line } of syntheticEvents(2_000, name)) {
        try {
          const { status, text } = await postSingle(line);
          if (status === 202) answered.push((JSON.parse(text) as { id: string }).id);
        } catch {
          if (killed) return;
        }
      }
    };
    const postSingle = (line: string) =>
      fetch(`${api.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tenant-id': 'killed-api' },
        body: line,
      }).then(async (response) => ({ status: response.status, text: await response.text() }));
    const producers = Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => producer(`killed-api-${name}`)),
    );
    await eventually(() => expect(answered.length).toBeGreaterThan(300));
    killed = true;
    await api.end('SIGKILL');
    await producers;
    const { rows } = await cluster.pool.query<{ n: number }>(
      'select count(*)::int as n from events where id = any($1::uuid[])',
      [answered],
    );
    expect(rows).toEqual([{ n: answered.length }]);
    api = await cluster.start('api');
    const stored = await count(`select count(*)::int as n from events where tenant_id = 'killed-api'`);
    expect(stored).toBeGreaterThanOrEqual(answered.length);
    await expectAllOnce('killed-api', stored);
  });
});
