import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import {
  call,
  expectProblem,
  getEvent,
  postEvent,
  postStream,
  type Answer,
  type ProblemAnswer,
} from '../../support/e2e-http';
import { OwnServer, storedOf } from '../../support/processes/e2e-own-servers';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { givenTenant } from '../../support/tenants';
import { startProcess, type TestProcess } from '../../support/processes/process';

const LIMIT = 8;

const newEvent = (fields: Record<string, unknown> = {}) => JSON.stringify(eventBody(fields));

/** Returns the RateLimit headers of a response; undefined for a missing header. */
function announced({ headers }: Answer<unknown>): { limit?: number; remaining?: number; reset?: number } {
  const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) => {
    const text = headers[`ratelimit-${name}`];
    return text === undefined ? undefined : Number(text);
  });
  return { limit, remaining, reset };
}

/** Sends a stream of `count` events and reads its response line by line. */
async function postForLines(url: string, tenant: string, count: number) {
  const response = await fetch(`${url}/v1/ingest/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson', 'x-tenant-id': tenant },
    body: toNdjson(syntheticEvents(count, tenant)),
  });
  const lines = (await response.text()).trim().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status: response.status, headers: response.headers, lines: parsed };
}

function expectAnnounced(answer: Answer<unknown>, remaining: number, limit = LIMIT): void {
  const { reset, ...counts } = announced(answer);
  expect([answer.status, counts]).toEqual([answer.status, { limit, remaining }]);
  expect(reset).toBeGreaterThanOrEqual(1);
  expect(reset).toBeLessThanOrEqual(60);
}

function expectLimited(answer: Answer<unknown>, limit = LIMIT): ProblemAnswer {
  const problem = expectProblem(answer, 429, 'tenant-rate-limited');
  expect(problem.retryable).toBe(true);
  const retryAfter = Number(answer.headers['retry-after']);
  expect(retryAfter).toBeGreaterThanOrEqual(1);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expectAnnounced(answer, 0, limit);
  return problem;
}

describe('the limit of a tenant', () => {
  let database: TestDatabase;
  let running: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    running = await startTestApp(database.url, { TENANT_RATE_LIMIT_PER_MINUTE: String(LIMIT) });
  });
  afterAll(async () => {
    await running.close();
    await database.drop();
  });

  const eventsOf = async (tenant: string): Promise<number> => (await storedOf(database.url, tenant)).events;

  it('is announced on 202, 200, 400, 409, 422 and 429', async () => {
    const { url } = running;
    const tenant = 'announced';
    const sent = newEvent({ eventId: 'e-1' });
    const key = { 'x-idempotency-key': 'k-1' };
    const answers = [
      await postEvent(url, tenant, sent, key),
      await postEvent(url, tenant, sent, key),
      await postEvent(url, tenant, newEvent({ eventType: 1 })),
      await postEvent(url, tenant, newEvent({ eventId: 'e-1' })),
      await postEvent(url, tenant, newEvent(), key),
      await postEvent(url, tenant, '{"eventType":'),
      await postEvent(url, tenant, ''),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 400, 409, 422, 400, 400]);
    const left = [7, 7, 6, 5, 4, 3, 2]; // the duplicate, which is the second, costs nothing
    for (const [i, answer] of answers.entries()) expectAnnounced(answer, left[i] as number);
    for (let i = 0; i < 2; i++) expect((await postEvent(url, tenant, newEvent())).status).toBe(202);
    for (let i = 0; i < 3; i++) expectLimited(await postEvent(url, tenant, newEvent()));
    expectLimited(await postEvent(url, tenant, sent, key)); // before anything is looked up
    expect(await eventsOf(tenant)).toBe(3);
  });

  it('is announced on responses to streams and batches, even if every record was rejected', async () => {
    const { url } = running;
    const lines = syntheticEvents(2, 'stream-heads').map(({ line }) => line);
    const cloudEvent = { specversion: '1.0', id: 'c', source: '/c', type: 't', data: 1 };
    const batch = call(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json', 'x-tenant-id': 'stream-heads' },
      body: JSON.stringify([cloudEvent]),
    });
    expectAnnounced(await batch, 7);
    const answers = [
      await postStream(url, 'stream-heads', lines.join('\n')),
      await postStream(url, 'stream-heads', `${lines[0]}\n{}`),
      await postStream(url, 'stream-heads', '{}'),
      await postStream(url, 'stream-heads', ''),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 207, 422, 202]);
    for (const [i, answer] of answers.entries()) expectAnnounced(answer, [5, 4, 3, 3][i] as number);
  });

  it('is announced on a line-by-line response, which begins before the records are counted', async () => {
    const { status, headers } = await postForLines(running.url, 'line-heads', 2);
    expect([status, headers.get('ratelimit-limit')]).toEqual([200, String(LIMIT)]);
    expect(headers.get('ratelimit-remaining')).toMatch(/^\d+$/);
    expect(headers.get('ratelimit-reset')).toMatch(/^\d+$/);
  });

  it('affects neither other tenants nor reads', async () => {
    const { url } = running;
    const first = await postEvent(url, 'greedy', newEvent());
    for (let i = 1; i < LIMIT; i++) await postEvent(url, 'greedy', newEvent());
    expectLimited(await postEvent(url, 'greedy', newEvent()));
    const other = await postEvent(url, 'modest', newEvent());
    expect(other.status).toBe(202);
    expectAnnounced(other, LIMIT - 1);
    const read = await getEvent(url, 'greedy', first.body.id);
    expect([read.status, announced(read)]).toEqual([200, {}]);
  });

  it('is not used by duplicates, however many there are at once', async () => {
    const { url } = running;
    const sent = newEvent({ eventId: 'the-same' });
    expect((await postEvent(url, 'duplicates', sent)).status).toBe(202);
    for (let i = 0; i < LIMIT * 3; i++) {
      const answer = await postEvent(url, 'duplicates', sent);
      expect(answer.status).toBe(200);
      expectAnnounced(answer, LIMIT - 1);
    }
    const many = await Promise.all(Array.from({ length: LIMIT - 1 }, () => postEvent(url, 'duplicates', sent)));
    expect(many.map(({ status }) => status)).toEqual(many.map(() => 200));
    const stream = await postStream(url, 'duplicates', Array.from({ length: 500 }, () => sent).join('\n'));
    expect([stream.status, stream.body.summary]).toMatchObject([202, { records: 500, duplicates: 500 }]);
    expectAnnounced(stream, LIMIT - 1);
    for (let i = 1; i < LIMIT; i++) expect((await postEvent(url, 'duplicates', newEvent())).status).toBe(202);
    expectLimited(await postEvent(url, 'duplicates', newEvent()));
  });

  it('is off at 0, and nothing is announced', async () => {
    const unlimited = await startTestApp(database.url, { TENANT_RATE_LIMIT_PER_MINUTE: '0' });
    try {
      const answer = await postEvent(unlimited.url, 'unlimited', newEvent());
      expect([answer.status, announced(answer)]).toEqual([202, {}]);
      const stream = await postStream(unlimited.url, 'unlimited', toNdjson(syntheticEvents(2_000, 'unlimited')));
      expect([stream.status, announced(stream)]).toEqual([202, {}]);
    } finally {
      await unlimited.close();
    }
  });
});

describe('the limit of a tenant in two api processes that share Redis', () => {
  const SHARED = 60;
  let database: TestDatabase;
  let redis: OwnServer;
  let apis: TestProcess[] = [];
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), OwnServer.redis()]);
    const env = { APP_ROLE: 'api', DATABASE_URL: database.url, REDIS_URL: redis.url };
    const limited = { ...env, TENANT_RATE_LIMIT_PER_MINUTE: String(SHARED), STREAM_PACE_MAX_SECONDS: '0' };
    apis = await Promise.all([startProcess(limited), startProcess(limited)]);
    await bothConnected();
  });
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.end('SIGKILL')));
    await redis?.stop();
    await database?.drop();
  });

  const urlOf = (i: number) => (apis[i % 2] as TestProcess).url;
  /** Sends `count` single events to both at once and counts the statuses. No request may take long. */
  const sendToBoth = async (tenant: string, count: number): Promise<Record<number, number>> => {
    const startedMs = performance.now();
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => postEvent(urlOf(i), tenant, newEvent())));
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    for (const answer of answers) if (answer.status === 429) expectLimited(answer, SHARED);
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  it('is granted exactly, however the events are spread', async () => {
    expect(await sendToBoth('spread', SHARED * 3)).toEqual({ 202: SHARED, 429: SHARED * 2 });
    expect((await storedOf(database.url, 'spread')).events).toBe(SHARED);
  });

  it('is granted exactly to streams and single events together, and streams leave a tenth of it', async () => {
    const streams = Promise.all(
      [0, 1].map((i) => postStream<ProblemAnswer>(urlOf(i), 'mixed', toNdjson(syntheticEvents(SHARED, `mixed-${i}`)))),
    );
    const accepted = (await streams).reduce((sum, { body }) => sum + (body.summary?.accepted ?? 0), 0);
    expect(accepted).toBe(SHARED * 0.9);
    const singles = await sendToBoth('mixed', 40);
    expect(singles).toEqual({ 202: SHARED / 10, 429: 40 - SHARED / 10 });
    expect((await storedOf(database.url, 'mixed')).events).toBe(SHARED);
  });

  it('is not used by duplicates in either process', async () => {
    const sent = newEvent({ eventId: 'the-same' });
    expect((await postEvent(urlOf(0), 'duplicates', sent)).status).toBe(202);
    for (let i = 0; i < 8; i++) {
      const lines = Array.from({ length: SHARED * 2 }, () => sent).join('\n');
      const stream = await postStream(urlOf(i), 'duplicates', lines);
      expect([stream.status, stream.body.summary]).toMatchObject([202, { duplicates: SHARED * 2 }]);
      expect((await postEvent(urlOf(i), 'duplicates', sent)).status).toBe(200);
    }
    expect(await sendToBoth('duplicates', SHARED * 2)).toEqual({ 202: SHARED - 1, 429: SHARED + 1 });
  });

  it("is each tenant's own, to within 5 %, for streams and single events together", async () => {
    await givenTenant(database.pool, 'own', { eventsPerMinute: 200 });
    await bothHeed('own', '200');
    const streams = [0, 1].map((i) =>
      postStream<ProblemAnswer>(urlOf(i), 'own', toNdjson(syntheticEvents(150, `own-${i}`))),
    );
    await Promise.all([...streams, ...Array.from({ length: 150 }, (_, i) => postEvent(urlOf(i), 'own', newEvent()))]);
    for (let i = 0; i < 30; i++) await postEvent(urlOf(i), 'own', newEvent());
    const { events } = await storedOf(database.url, 'own');
    expect(events).toBeGreaterThanOrEqual(190);
    expect(events).toBeLessThanOrEqual(200);
  });

  it('follows a change made through one process in the other one, and remembers what was used', async () => {
    const admin = (method: string, path: string, body: Record<string, unknown>) =>
      call(`${urlOf(0)}/v1/admin/tenants${path}`, {
        method,
        headers: { 'content-type': 'application/json', 'x-admin-token': ADMIN_TOKEN },
        body: JSON.stringify(body),
      });
    const sendFour = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) statuses.push((await postEvent(urlOf(1), 'changed', newEvent())).status);
      return statuses;
    };
    expect((await admin('POST', '', { id: 'changed', name: 'Changed', eventsPerMinute: 3 })).status).toBe(201);
    expect(await sendFour()).toEqual([202, 202, 202, 429]);
    expect((await admin('PATCH', '/changed', { eventsPerMinute: 5 })).status).toBe(200);
    expect(await sendFour()).toEqual([202, 202, 429, 429]);
    expect((await admin('PATCH', '/changed', { status: 'suspended' })).status).toBe(200);
    expect(await sendFour()).toEqual([403, 403, 403, 403]);
  });

  it('counts bytes over both processes as well, to within 5 %, for streams and single events together', async () => {
    await givenTenant(database.pool, 'bytes', { eventsPerMinute: 0, bytesPerMinute: 200_000 });
    await bothHeed('bytes', undefined);
    const streams = [0, 1].map((i) =>
      postStream<ProblemAnswer>(urlOf(i), 'bytes', Array.from({ length: 150 }, () => `${newOfSize(999)}\n`).join('')),
    );
    const singles = Array.from({ length: 150 }, (_, i) => postEvent(urlOf(i), 'bytes', newOfSize(1_000)));
    await Promise.all([...streams, ...singles]);
    for (let i = 0; i < 30; i++) await postEvent(urlOf(i), 'bytes', newOfSize(1_000));
    const { events } = await storedOf(database.url, 'bytes');
    expect(events).toBeGreaterThanOrEqual(190);
    expect(events).toBeLessThanOrEqual(200);
  });

  it('applies to each process separately while Redis is frozen or gone, and is shared again afterwards', async () => {
    redis.freeze();
    expect(await sendToBoth('frozen', SHARED * 4)).toEqual({ 202: SHARED * 2, 429: SHARED * 2 });
    redis.thaw();

    await sendToBoth('before', 10);
    await givenTenant(database.pool, 'bytes-gone', { eventsPerMinute: 0, bytesPerMinute: 30_000 });
    await bothHeed('bytes-gone', undefined);
    await redis.kill();
    const { 202: accepted = 0, 429: limited, ...others } = await sendToBoth('before', SHARED * 4);
    expect(others).toEqual({});
    expect(accepted).toBeLessThanOrEqual(SHARED * 2);
    expect(accepted).toBeGreaterThanOrEqual(SHARED - 10);
    expect(limited).toBe(SHARED * 4 - accepted);
    expect(await sendToBoth('gone', SHARED * 4)).toEqual({ 202: SHARED * 2, 429: SHARED * 2 });
    const large = Array.from({ length: 8 }, (_, i) => postEvent(urlOf(i), 'bytes-gone', newOfSize(10_000)));
    expect((await Promise.all(large)).filter(({ status }) => status === 202)).toHaveLength(4);

    await redis.startAgain();
    await bothConnected();
    expect(await sendToBoth('back', SHARED * 3)).toEqual({ 202: SHARED, 429: SHARED * 2 });
  });

  /** A new event whose body has this many bytes. */
  const newOfSize = (bytes: number): string => {
    const frame = newEvent({ payload: '' });
    return newEvent({ payload: 'x'.repeat(bytes - frame.length) });
  };

  /** Waits until both processes announce this limit for a tenant. Sends only duplicates. */
  const bothHeed = async (tenant: string, limit: string | undefined): Promise<void> => {
    const sent = newEvent({ eventId: 'the-same' });
    await eventually(async () => {
      const answers = await Promise.all([0, 1].map((i) => postEvent(urlOf(i), tenant, sent)));
      expect(answers.map(({ headers }) => headers['ratelimit-limit'])).toEqual([limit, limit]);
    });
  };

  const bothConnected = () =>
    eventually(async () => {
      const answers = await Promise.all(apis.map(({ url }) => call<{ status: string }>(`${url}/ready`)));
      expect(answers.map(({ body }) => body.status)).toEqual(['ready', 'ready']);
    });
});
