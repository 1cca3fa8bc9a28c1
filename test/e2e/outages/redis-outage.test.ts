import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { getEvent, postEvent, type AcceptedAnswer, type Answer } from '../../support/e2e-http';
import { idempotencyRun, type Post } from '../../support/model/e2e-own-model';
import { OwnServer, redisCommand, storedOf } from '../../support/processes/e2e-own-servers';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';

const WORKERS = 6;
const POSTS_EACH = 150;
/** A lookup that gets no answer gives up within half a second; the rest is for a busy machine. */
const MOST_MS = 5_000;

interface Phase {
  during: (redis: OwnServer) => Promise<void> | void;
  after: (redis: OwnServer) => Promise<void> | void;
}

/** What may happen to Redis, and how it comes back. */
const PHASES: Record<string, Phase> = {
  'is there': { during: () => undefined, after: () => undefined },
  'is frozen': { during: (redis) => redis.freeze(), after: (redis) => redis.thaw() },
  'is killed and comes back empty': { during: (redis) => redis.kill(), after: (redis) => redis.startAgain() },
  'is flushed': { during: (redis) => flush(redis), after: (redis) => flush(redis) },
};

async function flush(redis: OwnServer): Promise<void> {
  await redisCommand(redis.url, 'flushall');
}

describe('idempotency', () => {
  let database: TestDatabase;
  let redis: OwnServer;
  let api: TestProcess;
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), OwnServer.redis()]);
    api = await startApi(database.url);
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await redis?.stop();
    await database?.drop();
  });

  const startApi = (databaseUrl: string) =>
    startProcess({ APP_ROLE: 'api', DATABASE_URL: databaseUrl, REDIS_URL: redis.url });
  const readyAs = (status: string) =>
    eventually(async () => {
      const answer = await fetch(`${api.url}/ready`);
      expect([answer.status, ((await answer.json()) as { status: string }).status]).toEqual([200, status]);
    });
  const remembered = async (): Promise<number> =>
    (await redisCommand(redis.url, 'keys', 'streamforge:*:key:*')).split(',').filter(Boolean).length;

  describe.each(Object.entries(PHASES))('while Redis %s', (name, phase) => {
    const tenant = name.replaceAll(' ', '-');

    it('accepts exactly one of fifty identical requests and answers the others with its id', async () => {
      await readyAs('ready');
      await phase.during(redis);
      try {
        for (const headers of [{}, { 'x-idempotency-key': 'the-same' }]) {
          const body = JSON.stringify(eventBody());
          const startedMs = performance.now();
          const answers = await Promise.all(
            Array.from({ length: 50 }, () => postEvent(api.url, tenant, body, headers)),
          );
          expect(performance.now() - startedMs).toBeLessThan(MOST_MS);
          expectOneAccepted(answers);
        }
      } finally {
        await phase.after(redis);
      }
      expect(await storedOf(database.url, tenant)).toEqual({ events: 2, entries: 2, keys: 2 });
    });

    it('gives the same answers as without Redis for new, repeated and changed events', async () => {
      await readyAs('ready');
      let answered = 0;
      let slowestMs = 0;
      const send = async (runTenant: string, { body, key }: Post) => {
        const startedMs = performance.now();
        const answer = await postEvent(api.url, runTenant, body, key === undefined ? {} : { 'x-idempotency-key': key });
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        answered += 1;
        return answer;
      };
      const reaching = (count: number) => eventually(() => expect(answered).toBeGreaterThanOrEqual(count));

      const runs = Array.from({ length: WORKERS }, (_, i) => idempotencyRun(i + 1));
      const mismatches = Promise.all(
        runs.map(async (run, i) => {
          const wrong: unknown[] = [];
          for (let n = 0; n < POSTS_EACH; n++) {
            const post = run.next();
            const answer = await send(`${tenant}-${i}`, post);
            wrong.push(...run.check(post, answer));
          }
          return wrong;
        }),
      );
      mismatches.catch(() => undefined);
      try {
        await reaching((WORKERS * POSTS_EACH) / 3);
        await phase.during(redis);
        await reaching((WORKERS * POSTS_EACH * 2) / 3);
      } finally {
        await phase.after(redis);
      }
      expect((await mismatches).flat()).toEqual([]);
      expect(slowestMs).toBeLessThan(MOST_MS);

      await readyAs('ready');
      for (const [i, run] of runs.entries()) {
        for (const post of run.repeats()) {
          expect(run.check(post, await send(`${tenant}-${i}`, post))).toEqual([]);
        }
        expect((await storedOf(database.url, `${tenant}-${i}`)).events).toBe(run.accepted);
      }
    });
  });

  it('works while Redis is down: the api reports degraded, and is ready again when Redis returns', async () => {
    await readyAs('ready');
    await redis.kill();
    await readyAs('degraded');
    expect((await postEvent(api.url, 'degraded', JSON.stringify(eventBody()))).status).toBe(202);
    await redis.startAgain();
    await readyAs('ready');
    await eventually(async () => {
      expect((await postEvent(api.url, 'degraded', JSON.stringify(eventBody()))).status).toBe(202);
      expect(await remembered()).toBeGreaterThan(0);
    });
  });

  it('I2: reports no duplicate that this database does not hold when Redis remembers another database', async () => {
    const bodies = Array.from({ length: 20 }, () => JSON.stringify(eventBody({ eventId: `e-${Math.random()}` })));
    const sendTo = ({ url }: TestProcess) =>
      Promise.all(
        bodies.map((body, i) => postEvent(url, 'two', body, i % 2 ? { 'x-idempotency-key': `two-${i}` } : {})),
      );
    const first = await sendTo(api);
    expect(first.map(({ status }) => status)).toEqual(first.map(() => 202));
    await eventually(async () => expect(await remembered()).toBeGreaterThanOrEqual(20));

    const other = await createTestDatabase();
    const otherApi = await startApi(other.url);
    try {
      const second = await sendTo(otherApi);
      expect(second.map(({ status }) => status)).toEqual(second.map(() => 202));
      expect((await sendTo(otherApi)).map(({ body }) => body.id)).toEqual(second.map(({ body }) => body.id));
      expect((await sendTo(api)).map(({ body }) => body.id)).toEqual(first.map(({ body }) => body.id));
      expect((await storedOf(other.url, 'two')).events).toBe(20);
    } finally {
      await otherApi.end('SIGKILL');
      await other.drop();
    }
  });

  it('I2: reports no duplicate of events that were in the database before it was replaced under the running api', async () => {
    const replaced = await createTestDatabase();
    const ownApi = await startApi(replaced.url);
    try {
      await flush(redis);
      const body = JSON.stringify(eventBody());
      const before = await postEvent(ownApi.url, 'replaced', body);
      expect(before.status).toBe(202);
      await eventually(async () => {
        // Repeated, since a Redis that is slow for a moment is told nothing; a duplicate is remembered too.
        expect((await postEvent(ownApi.url, 'replaced', body)).body.id).toBe(before.body.id);
        expect(await remembered()).toBe(1);
      });
      await replaceByEmpty(replaced);

      const after = await eventually(async () => {
        const answer = await postEvent(ownApi.url, 'replaced', body);
        expect(answer.status).toBeLessThan(500);
        return answer;
      });
      expect([after.status, after.body.duplicate]).toEqual([202, false]);
      expect((await getEvent(ownApi.url, 'replaced', after.body.id)).status).toBe(200);
    } finally {
      await ownApi.end('SIGKILL');
      await replaced.drop();
    }
  });
});

function expectOneAccepted(answers: Answer<AcceptedAnswer>[]): void {
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([...Array.from({ length: answers.length - 1 }, () => 200), 202]);
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  for (const { status, headers } of answers) {
    expect(headers['idempotent-replayed']).toBe(status === 200 ? 'true' : undefined);
  }
}

/** As a restore does it: the name stays, the connections break, the content is another one. */
async function replaceByEmpty({ url }: TestDatabase): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const client = new Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  try {
    await client.query(`drop database ${name} with (force)`);
    await client.query(`create database ${name} template streamforge_template`);
  } finally {
    await client.end();
  }
}
