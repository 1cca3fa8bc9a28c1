import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requeueFailed } from '../../../src/event-state/failed-entries.queries';
import { allCompleted, statusCounts, TestCluster } from '../../support/processes/e2e-cluster';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import type { TestProcess } from '../../support/processes/process';
import { givenEvents } from '../../support/rows';
import { startRabbitMq, type RabbitMqServer } from '../../support/processes/servers';

const OUTAGE_MS = 30_000;
const ALARM_MS = 20_000;
const MAX_MESSAGE_BYTES = 100_000;

/** One RabbitMQ of this file alone, which is killed, wiped and brought into alarm. */
describe('a cluster whose RabbitMQ fails', () => {
  let directory: string;
  let rabbit: RabbitMqServer;
  let cluster: TestCluster;
  let api: TestProcess;
  let publisher: TestProcess;
  let worker: TestProcess;
  const rabbitUrl = () => ({ RABBITMQ_URL: rabbit.env.TEST_RABBITMQ_URL as string });
  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-own-'));
    rabbit = await startRabbitMq(directory, `max_message_size = ${MAX_MESSAGE_BYTES}\n`);
    cluster = await TestCluster.create();
    [api, publisher, worker] = await Promise.all([
      cluster.start('api', rabbitUrl()),
      cluster.start('publisher', { ...rabbitUrl(), OUTBOX_BATCH_SIZE: '500' }),
      cluster.start('worker', rabbitUrl()),
    ]);
  }, 120_000);
  afterAll(async () => {
    await cluster?.drop();
    await rabbit?.stop();
    fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  const count = async (from: string): Promise<number> =>
    (await cluster.pool.query<{ n: number }>(`select count(*)::integer as n from ${from}`)).rows[0]?.n ?? -1;
  const send = async (tenant: string, events: number): Promise<void> => {
    const answer = await postStream(api.url, tenant, toNdjson(syntheticEvents(events, tenant)));
    expect(answer.body.summary).toMatchObject({ accepted: events });
  };
  const failedEntry = async () => {
    const { rows } = await cluster.pool.query<{ id: string; eventId: string; reason: string; failedAt: string }>(
      `select id, event_id as "eventId", last_error as reason, failed_at as "failedAt" from outbox where status = 'FAILED'`,
    );
    expect(rows).toHaveLength(1);
    return rows[0] as (typeof rows)[0];
  };

  it('I10: marks an oversized message FAILED with a reason and publishes its neighbours without delay', async () => {
    const { pool } = cluster;
    const before = await givenEvents(pool, 150, {}, 'oversized');
    const [poison] = await givenEvents(pool, 1, { payload: 'x'.repeat(MAX_MESSAGE_BYTES) }, 'oversized');
    const after = await givenEvents(pool, 150, {}, 'oversized');
    const startedMs = Date.now();
    await eventually(async () =>
      expect(await statusCounts(pool, 'oversized')).toEqual({ COMPLETED: 300, RECEIVED: 1 }),
    );
    expect(Date.now() - startedMs).toBeLessThan(15_000); // half a lease; 1 s on an idle machine
    const failed = await failedEntry();
    expect(failed.eventId).toBe(poison?.id);
    expect(failed.reason).toMatch(/message size .* larger than/);
    expect(await count(`outbox where attempts > 0 and status <> 'FAILED'`)).toBe(0);
    expect([...before, ...after]).toHaveLength(300);
    await eventually(async () => {
      const { text } = await call(`${publisher.url}/metrics`);
      const gauge = (name: string) => new RegExp(`^streamforge_outbox_${name} (.*)$`, 'm').exec(text)?.[1];
      expect([gauge('failed'), gauge('backlog'), gauge('oldest_pending_seconds')]).toEqual(['1', '0', '0']);
    });
    expect(await requeueFailed(pool, { limit: 10 })).toMatchObject([{ id: failed.id }]);
    await eventually(async () => expect((await failedEntry()).failedAt).not.toBe(failed.failedAt)); // tried once more
    await pool.query('delete from outbox where failed_at is not null');
    await pool.query('delete from events where id = $1', [poison?.id]);
  });

  it('I9: loses no event, fails no entry and uses no attempt while RabbitMQ is killed for 30 s under load', async () => {
    const tenant = 'outage';
    const events = syntheticEvents(100_000, tenant)[Symbol.iterator]();
    const statuses = new Map<number, number>();
    let ended = false;
    const producer = async (): Promise<void> => {
      while (!ended) {
        const { status } = await postEvent(api.url, tenant, events.next().value?.line as string);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await sleep(20); // a steady load, not all that the machine can do
      }
    };
    const producing = Promise.all([producer(), producer(), producer(), producer()]);
    await eventually(async () => expect((await statusCounts(cluster.pool, tenant)).COMPLETED).toBeGreaterThan(50));
    await rabbit.kill();
    const acceptedBefore = statuses.get(202) ?? 0;
    const endMs = Date.now() + OUTAGE_MS;
    while (Date.now() < endMs) {
      await sleep(1_000);
      expect(await count(`outbox where status = 'FAILED' or attempts > 0`)).toBe(0);
    }
    expect(statuses.get(202) ?? 0).toBeGreaterThan(acceptedBefore + 1_000);
    expect((await call<{ status: string }>(`${api.url}/ready`)).body.status).toBe('degraded');
    expect((await call(`${publisher.url}/ready`)).status).toBe(503);
    await rabbit.startAgain();
    ended = true;
    await producing;
    expect([...statuses.keys()]).toEqual([202]);
    await allCompleted(cluster.pool, tenant, statuses.get(202) ?? 0, 60_000);
    expect(await count(`outbox where status = 'FAILED' or attempts > 0`)).toBe(0);
    expect(await count(`processing_attempts where status <> 'SUCCESS' or attempt_number > 1`)).toBe(0);
  }, 150_000);

  it('I13: completes every event after RabbitMQ was wiped with messages in it', async () => {
    expect(await worker.end('SIGTERM')).toBe(0);
    await send('wiped', 300);
    await eventually(async () => expect(await statusCounts(cluster.pool, 'wiped')).toEqual({ PUBLISHED: 300 }));
    await rabbit.kill();
    fs.rmSync(rabbit.dataDirectory, { recursive: true, maxRetries: 5 });
    await rabbit.startAgain();
    worker = await cluster.start('worker', rabbitUrl());
    await allCompleted(cluster.pool, 'wiped', 300, 60_000);
    expect(
      await count(`processing_attempts a join events e on e.id = a.event_id
                         where e.tenant_id = 'wiped' and a.status = 'SUCCESS'`),
    ).toBe(300);
  }, 150_000);

  it('I9: claims nothing and loses nothing while the memory alarm of RabbitMQ is on for 20 s', async () => {
    rabbit.control('set_vm_memory_high_watermark', '0.000001');
    try {
      await send('alarm-first', 1); // RabbitMQ tells of its alarm when somebody publishes
      await eventually(async () => expect((await call(`${publisher.url}/ready`)).status).toBe(503));
      await eventually(async () => expect(await count(`outbox where status = 'IN_FLIGHT'`)).toBe(0));
      await send('alarm', 500);
      for (const endMs = Date.now() + ALARM_MS; Date.now() < endMs; await sleep(100)) {
        expect(await count(`outbox where status = 'IN_FLIGHT' or attempts > 0 or status = 'FAILED'`)).toBe(0);
      }
      expect(await statusCounts(cluster.pool, 'alarm')).toEqual({ RECEIVED: 500 });
    } finally {
      rabbit.control('set_vm_memory_high_watermark', '0.6');
    }
    await allCompleted(cluster.pool, 'alarm', 500, 60_000);
    await allCompleted(cluster.pool, 'alarm-first', 1);
  }, 120_000);
});
