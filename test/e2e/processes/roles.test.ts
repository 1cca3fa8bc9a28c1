import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Type } from '@nestjs/common';
import { Broker } from '../../../src/broker/broker';
import { Intake } from '../../../src/ingest/store/intake';
import { Chores } from '../../../src/outbox/chores';
import { Publisher } from '../../../src/outbox/publisher';
import { WorkerLoop } from '../../../src/worker/consume/worker-loop';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, getEvent, postEvent, postStream } from '../../support/e2e-http';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { createTestVhost, type TestVhost } from '../../support/broker/rabbit';

const PARTS: Record<string, abstract new (...args: never[]) => unknown> = {
  Intake,
  Publisher,
  Chores,
  WorkerLoop,
  Broker,
};

describe('the roles', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  const apps: TestApp[] = [];
  const start = async (env: Record<string, string>): Promise<TestApp> => {
    const app = await startTestApp(database.url, env);
    apps.push(app);
    return app;
  };
  beforeAll(async () => {
    [database, vhost] = await Promise.all([createTestDatabase(), createTestVhost()]);
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });
  afterAll(async () => {
    await Promise.all([vhost.drop(), database.drop()]);
  });

  const partsOf = ({ app }: TestApp): string[] =>
    Object.entries(PARTS).flatMap(([name, part]) => {
      try {
        app.get(part as Type, { strict: false });
        return [name];
      } catch {
        return [];
      }
    });

  it.each([
    ['api', ['Intake']],
    ['publisher', ['Publisher', 'Chores', 'Broker']],
    ['worker', ['WorkerLoop', 'Broker']],
    ['publisher,worker', ['Publisher', 'Chores', 'WorkerLoop', 'Broker']],
    ['all', ['Intake', 'Publisher', 'Chores', 'WorkerLoop', 'Broker']],
  ])('start only their own parts: %s starts %j', async (role, parts) => {
    expect(partsOf(await start({ APP_ROLE: role, RABBITMQ_URL: vhost.url }))).toEqual(parts);
  });

  it('complete an event in three separate processes', async () => {
    const env = { RABBITMQ_URL: vhost.url, REDIS_URL: process.env.TEST_REDIS_URL as string };
    const api = await start({ APP_ROLE: 'api', ...env });
    await Promise.all([start({ APP_ROLE: 'publisher', ...env }), start({ APP_ROLE: 'worker', ...env })]);
    const { body } = await postEvent(api.url, 'acme', JSON.stringify(eventBody()));
    await eventually(async () => expect((await getEvent(api.url, 'acme', body.id)).body.status).toBe('COMPLETED'));
  });

  it('let the api accept events and report degraded while RabbitMQ is unreachable', async () => {
    const api = await start({ APP_ROLE: 'api', RABBITMQ_URL: `amqp://127.0.0.1:${await freePort()}` });
    const sent = JSON.stringify(eventBody());
    const answer = await postEvent(api.url, 'acme', sent);
    expect(answer.status).toBe(202);
    expect((await postEvent(api.url, 'acme', sent)).status).toBe(200);
    expect((await getEvent(api.url, 'acme', answer.body.id)).body).toMatchObject({ status: 'RECEIVED', attempts: [] });
    const ready = await call<{ status: string; checks: { rabbitmq: { status: string } } }>(`${api.url}/ready`);
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({ status: 'degraded', checks: { rabbitmq: { status: 'down' } } });
  });

  it('let the api work without any connection to RabbitMQ', async () => {
    const rabbit = await countAmqpGreetings();
    try {
      const api = await start({ APP_ROLE: 'api', RABBITMQ_URL: rabbit.url });
      expect((await postEvent(api.url, 'acme', JSON.stringify(eventBody()))).status).toBe(202);
      await postStream(api.url, 'acme', toNdjson(syntheticEvents(200, 'no-amqp')));
      const ready = await call<{ status: string }>(`${api.url}/ready`);
      expect(ready.body.status).toBe('ready'); // it only looks whether somebody listens there
      expect(rabbit.greetings()).toBe(0);
      // Somebody who does speak AMQP is noticed, so its silence until now was no accident.
      await start({ APP_ROLE: 'publisher', RABBITMQ_URL: rabbit.url });
      await eventually(() => expect(rabbit.greetings()).toBeGreaterThan(0));
      await Promise.all(apps.splice(1).map((app) => app.close()));
      const afterPublisher = rabbit.greetings();
      await postStream(api.url, 'acme', toNdjson(syntheticEvents(200, 'no-amqp-again')));
      await call(`${api.url}/ready`);
      expect(rabbit.greetings()).toBe(afterPublisher);
    } finally {
      await rabbit.close();
    }
  });
});

/** A listener where RabbitMQ should be, which counts the connections that begin to speak AMQP and hangs up on them. */
async function countAmqpGreetings(): Promise<{ url: string; greetings: () => number; close: () => Promise<void> }> {
  let greetings = 0;
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      if (bytes.toString('latin1').startsWith('AMQP')) greetings += 1;
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    greetings: () => greetings,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
