import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openProxy } from '../../support/broker/proxy';
import { createTestVhost, type TestVhost } from '../../support/broker/rabbit';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, getEvent, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { startProcess } from '../../support/processes/process';

/** RabbitMQ's heartbeat needs 20 to 30 s; the other two connections are replaced within a few seconds. */
const REPLACED_WITHIN_MS = 120_000;

describe('a firewall that forgets all connections of a process', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  beforeAll(async () => {
    [database, vhost] = await Promise.all([createTestDatabase(), createTestVhost()]);
  });
  afterEach(closeAll);
  afterAll(async () => {
    await vhost.drop();
    await database.drop();
  });

  it('stops nothing for longer than a few deadlines: the process opens new ones', async () => {
    const [postgres, redis, rabbit] = await Promise.all(
      [database.url, process.env.TEST_REDIS_URL as string, vhost.url].map((to) => openProxy(to)),
    );
    const api = await startProcess({
      DATABASE_URL: postgres?.url as string,
      REDIS_URL: redis?.url as string,
      RABBITMQ_URL: rabbit?.url as string,
      PUBLISH_TIMEOUT_MS: '2000',
      OUTBOX_INFLIGHT_LEASE_SECONDS: '4',
    });
    atTheEnd(() => api.end('SIGKILL'));
    const { url } = api;
    const isReady = () =>
      eventually(async () => {
        const { status, body } = await call<{ status: string }>(`${url}/ready`);
        expect([status, body.status]).toEqual([200, 'ready']);
      }, REPLACED_WITHIN_MS);
    const completes = async (): Promise<void> => {
      const { body } = await eventually(async () => {
        const answer = await postEvent(url, 'forgotten', JSON.stringify(eventBody()));
        expect(answer.status).toBe(202);
        return answer;
      });
      await eventually(
        async () => expect((await getEvent(url, 'forgotten', body.id)).body.status).toBe('COMPLETED'),
        REPLACED_WITHIN_MS,
      );
    };
    const cacheHits = async (): Promise<number> => {
      const { text } = await call(`${url}/metrics`);
      return Number(/^streamforge_dedupe_hits_total\{layer="cache"\} (\d+)$/m.exec(text)?.[1]);
    };
    await isReady();
    await completes();

    for (const proxy of [postgres, redis, rabbit]) proxy?.silence();
    await completes();
    await isReady();
    const hits = await cacheHits();
    const event = JSON.stringify(eventBody());
    await eventually(async () => {
      await postEvent(url, 'forgotten', event);
      expect(await cacheHits()).toBeGreaterThan(hits); // so Redis answers
    });
  });
});
