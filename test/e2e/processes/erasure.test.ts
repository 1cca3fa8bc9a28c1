import { connect } from 'amqplib';
import { messagesIn } from '../../support/broker/e2e-rabbit';
import { erased, startErasure, whenErased } from '../../support/erasures';
import { tablesWith } from '../../support/everything-stored';
import { eventually } from '../../support/eventually';
import { caughtBetween, TestCluster } from '../../support/processes/e2e-cluster';
import type { TestProcess } from '../../support/processes/process';
import { givenEntry, givenEvents } from '../../support/rows';

const SECRET = 'Ada Lovelace, Marylebone';
const TENANT = 'acme';
const EVENTS = 3_000;
const VERBOSE = { LOG_LEVEL: 'debug', DLQ_COPY: 'true' };

describe('an erasure, with processes of each role', () => {
  let cluster: TestCluster;
  let api: TestProcess;
  const all: TestProcess[] = [];
  const start = async (role: 'api' | 'publisher' | 'worker'): Promise<TestProcess> => {
    const started = await cluster.start(role, VERBOSE);
    all.push(started);
    return started;
  };
  beforeAll(async () => {
    cluster = await TestCluster.create();
    api = await start('api');
  });
  afterAll(() => cluster.drop());

  const publishedAll = (publisher: TestProcess): Promise<void> =>
    eventually(async () => {
      const { rows } = await cluster.pool.query('select from outbox where closed_at is null limit 1');
      expect([rows.length, publisher.child.exitCode]).toEqual([0, null]);
    }, 60_000);
  const bodiesIn = async (queue: string): Promise<string[]> => {
    const connection = await connect(cluster.vhost.url);
    try {
      const channel = await connection.createChannel();
      const bodies: string[] = [];
      for (;;) {
        const message = await channel.get(queue);
        if (!message) return bodies; // closing the channel puts them back
        bodies.push(message.content.toString());
      }
    } finally {
      await connection.close();
    }
  };

  it('goes on after kill -9 in the middle, and does what its dry run said', async () => {
    await givenEvents(cluster.pool, EVENTS, { payload: { name: SECRET } }, TENANT);
    const order = { tenantId: TENANT, before: new Date(Date.now() + 1_000).toISOString() };
    const { body: preview } = await startErasure(api.url, { ...order, dryRun: true });
    expect(preview.counts).toMatchObject({ events: EVENTS, discarded: EVENTS });
    const publisher = await start('publisher');
    const { body } = await startErasure(api.url, order);
    const done = 'select count(*)::integer as n from events where erased_at is not null';
    await caughtBetween(cluster.pool, done, 1, EVENTS);
    await publisher.end('SIGKILL');
    const { rows } = await cluster.pool.query<{ half: number; erased: number; counted: number }>(
      `select count(*) filter (where (e.erased_at is null) <> (e.payload::text <> 'null')
                                  or (e.erased_at is null) <> (s.event_id is null))::integer as half,
              count(e.erased_at)::integer as erased,
              (select coalesce((counts ->> 'events')::integer, 0) from erasures where id = $1) as counted
         from events e left join event_state s on s.event_id = e.id`,
      [body.erasureId],
    );
    expect(rows[0]?.half).toBe(0);
    expect(rows[0]?.counted).toBe(rows[0]?.erased);
    await start('publisher');
    const ended = await whenErased(cluster.pool, api.url, body.erasureId);
    expect(ended.counts).toEqual(preview.counts);
    await expect(tablesWith(cluster.pool, SECRET)).resolves.toEqual({});
  }, 180_000);

  it('leaves nothing in RabbitMQ: workers drop what waits there, and dead letters have no payload', async () => {
    const publisher = all.at(-1) as TestProcess;
    const events = await givenEvents(cluster.pool, 50, { payload: { name: SECRET } }, TENANT);
    for (const event of events.slice(0, 5)) await givenEntry(cluster.pool, event, { destination: 'dlq' });
    await publishedAll(publisher);
    const ids = new Set(events.map(({ id }) => id));
    const waiting = (await bodiesIn('events.main')).filter((body) => ids.has((JSON.parse(body) as { id: string }).id));
    expect(waiting.filter((body) => body.includes(SECRET)).length).toBe(50);
    await erased(cluster.pool, api.url, { tenantId: TENANT, eventIds: events.map(({ id }) => id) });
    await start('worker');
    await eventually(async () => {
      for (const queue of ['events.main', 'events.retry', 'events.safety']) {
        expect([queue, await messagesIn(cluster.vhost.name, queue)]).toEqual([queue, 0]);
      }
    }, 60_000);
    const parked = await bodiesIn('events.dlq');
    expect(parked).toHaveLength(5);
    for (const body of parked) {
      expect(JSON.parse(body)).toMatchObject({ tenantId: TENANT, type: 'order.paid' });
      expect(body).not.toContain(SECRET);
    }
    const { rows } = await cluster.pool.query('select from processing_attempts union all select from usage_daily');
    expect(rows).toHaveLength(0);
    await expect(tablesWith(cluster.pool, SECRET)).resolves.toEqual({});
    for (const { output } of all) expect(output()).not.toContain(SECRET);
  }, 180_000);
});
