import { Redis } from 'ioredis';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, expectProblem, postEvent, postStream, type ProblemAnswer } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { OpenStream, type Line } from '../../support/open-stream';
import { OwnServer, storedOf } from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';

const LIMIT = 60;
const STREAMS = 54;
const STALL_MS = 3_000;

const newEvent = (fields: Record<string, unknown> = {}) => JSON.stringify(eventBody(fields));
const upload = (count: number, run: string) => toNdjson(syntheticEvents(count, run));

async function metric(url: string, name: string): Promise<number> {
  const { text } = await call(`${url}/metrics`);
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

describe('a stream that is longer than the limit of its tenant', () => {
  let database: TestDatabase;
  let running: TestApp;
  let url: string;
  const start = (env: Record<string, string> = {}) =>
    startTestApp(database.url, {
      TENANT_RATE_LIMIT_PER_MINUTE: String(LIMIT),
      REQUEST_STALL_TIMEOUT_MS: String(STALL_MS),
      ...env,
    });
  beforeAll(async () => {
    database = await createTestDatabase();
    running = await start();
    ({ url } = running);
  });
  afterAll(async () => {
    await running.close();
    await database.drop();
  });
  afterEach(() => jest.restoreAllMocks());

  /** Makes the clock of this process, which is also the server's, run faster. Timers keep their speed. */
  const speedUp = (times: number): void => {
    const now = performance.now.bind(performance);
    const sinceMs = now();
    jest.spyOn(performance, 'now').mockImplementation(() => sinceMs + (now() - sinceMs) * times);
  };
  const eventsOf = async (tenant: string): Promise<number> => (await storedOf(database.url, tenant)).events;
  const untilStored = (tenant: string, count: number) =>
    eventually(async () => expect(await eventsOf(tenant)).toBe(count));
  const untilNoneIsOpen = () =>
    eventually(async () => {
      expect(await metric(url, 'streamforge_streams_open')).toBe(0);
      expect(await metric(url, 'streamforge_streams_waiting')).toBe(0);
    });

  it('uploads in one request at the pace of the limit, and once more without being charged', async () => {
    const body = upload(LIMIT * 3, 'long');
    speedUp(20);
    const startedMs = performance.now();
    const answer = await postStream(url, 'long', body);
    const tookMs = performance.now() - startedMs;
    expect([answer.status, answer.body.status]).toEqual([202, 'accepted']);
    expect(answer.body.summary).toMatchObject({ records: LIMIT * 3, accepted: LIMIT * 3, duplicates: 0, rejected: 0 });
    expect(answer.headers).toMatchObject({ 'ratelimit-limit': String(LIMIT) });
    expect(tookMs).toBeGreaterThan(180_000); // 54 in each of the first three minutes, 18 in the fourth
    expect(tookMs).toBeLessThan(270_000);
    expect(await eventsOf('long')).toBe(LIMIT * 3);

    const again = await postStream(url, 'long', body);
    expect([again.status, again.body.summary]).toMatchObject([202, { accepted: 0, duplicates: LIMIT * 3 }]);
    jest.restoreAllMocks();
    const single = await postEvent(url, 'long-afterwards', newEvent());
    expect(single.headers['ratelimit-remaining']).toBe(String(LIMIT - 1));
    expect(await metric(url, 'streamforge_stream_paced_seconds_total')).toBeGreaterThan(5);
    await untilNoneIsOpen();
  });

  it('leaves the last tenth of the limit to single events, and says what is left', async () => {
    const stream = new OpenStream(url, 'tenth');
    await stream.write(upload(LIMIT * 2, 'tenth'));
    await untilStored('tenth', STREAMS);
    for (let i = 1; i <= LIMIT - STREAMS; i++) {
      const { status, headers } = await postEvent(url, 'tenth', newEvent());
      expect([status, headers['ratelimit-remaining']]).toEqual([202, String(LIMIT - STREAMS - i)]);
    }
    expectProblem(await postEvent(url, 'tenth', newEvent()), 429, 'tenant-rate-limited');
    stream.hangUp();
    await untilNoneIsOpen();
  });

  it('is not stalled while it waits, even if its sender waits for each result', async () => {
    speedUp(10); // the minute then takes six seconds, twice the stall timeout
    const stream = new OpenStream(url, 'in-turn');
    for (let i = 0; i < STREAMS + 6; i++) {
      await stream.write(upload(1, `in-turn-${i}`));
      expect(await stream.next()).toMatchObject({ record: i + 1, status: 'accepted' });
    }
    stream.end();
    expect(await stream.rest()).toMatchObject([{ summary: { records: STREAMS + 6, accepted: STREAMS + 6 } }]);
  });

  it('is stalled if its sender sends nothing although the stream does not wait', async () => {
    const stream = new OpenStream(url, 'stalled');
    await stream.write(upload(1, 'stalled'));
    const lines = await stream.rest();
    expect(lines.at(-1)).toMatchObject({ code: 'request-timeout', lastCommittedRecord: 1 });
  });

  it('gets its lines at the pace of the limit', async () => {
    const stream = new OpenStream(url, 'lines');
    speedUp(20);
    void stream.write(upload(STREAMS * 2, 'lines')).then(() => stream.end());
    const arrivedMs: number[] = [];
    let last: Line | undefined;
    for (let next = await stream.next(); next; next = await stream.next()) {
      last = next;
      if (next.record !== undefined && next.record > STREAMS) arrivedMs.push(performance.now());
    }
    expect(last).toMatchObject({ summary: { records: STREAMS * 2, accepted: STREAMS * 2 } });
    const gaps = arrivedMs.slice(1).map((ms, i) => ms - (arrivedMs[i] as number));
    expect(gaps).toHaveLength(STREAMS - 1);
    expect(Math.max(...gaps)).toBeLessThan(30_000);
    expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBeGreaterThan(40_000);
  });

  it('ends as tenant-rate-limited after STREAM_PACE_MAX_SECONDS, with what is committed', async () => {
    const impatient = await start({ STREAM_PACE_MAX_SECONDS: '1' });
    try {
      const lines = upload(LIMIT * 2, 'impatient');
      const answer = await postStream<ProblemAnswer>(impatient.url, 'impatient', `{}\n${lines}`);
      const problem = expectProblem(answer, 429, 'tenant-rate-limited');
      expect(problem).toMatchObject({ retryable: true, lastCommittedRecord: STREAMS });
      expect(problem.summary).toMatchObject({ records: STREAMS, accepted: STREAMS - 1, rejected: 1 });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(answer.headers['ratelimit-remaining']).toBe(String(LIMIT - STREAMS));
      expect(await eventsOf('impatient')).toBe(STREAMS - 1);

      const stream = new OpenStream(impatient.url, 'impatient-lines');
      void stream.write(upload(LIMIT, 'impatient-lines')).then(() => stream.end());
      const result = await stream.rest();
      expect(result).toHaveLength(STREAMS + 1);
      expect(result.at(-1)).toMatchObject({ code: 'tenant-rate-limited', lastCommittedRecord: STREAMS });
    } finally {
      await impatient.close();
    }
  });

  it.each([
    ['after it has sent everything', true],
    ['in the middle of its upload', false],
  ])('is given up when its client goes away %s, and stores no more', async (_when, complete) => {
    const tenant = complete ? 'gone-complete' : 'gone-early';
    const stream = new OpenStream(url, tenant);
    await stream.write(upload(LIMIT * 2, tenant));
    if (complete) stream.end();
    await untilStored(tenant, STREAMS);
    stream.hangUp();
    await untilNoneIsOpen();
    expect(await eventsOf(tenant)).toBe(STREAMS);
  });

  it('holds no database connection, and neither other tenants nor their streams wait', async () => {
    const tenants = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    const streams = tenants.map((tenant) => {
      const stream = new OpenStream(url, tenant);
      void stream.write(upload(LIMIT * 2, tenant));
      return stream;
    });
    await eventually(async () => expect(await metric(url, 'streamforge_streams_waiting')).toBe(40), 30_000);
    await eventually(async () => {
      const { rows } = await database.pool.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity
          where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`,
      );
      expect(rows[0]?.n).toBeLessThanOrEqual(1);
    });
    expect((await postEvent(url, 'somebody', newEvent())).status).toBe(202);
    expect((await postStream(url, 'somebody', upload(STREAMS - 1, 'somebody'))).status).toBe(202);
    for (const stream of streams) stream.hangUp();
    await untilNoneIsOpen();
  });

  it('is refused beyond MAX_STREAMS_PER_TENANT, until another one has ended', async () => {
    const few = await start({ MAX_STREAMS_PER_TENANT: '2', REQUEST_STALL_TIMEOUT_MS: '30000' });
    try {
      const [first, second] = [new OpenStream(few.url, 'few'), new OpenStream(few.url, 'few')];
      for (const stream of [first, second]) {
        await stream.write(upload(1, `few-${stream === first}`));
        await stream.next();
      }
      for (const accept of ['application/json', 'application/x-ndjson']) {
        const answer = await postStream<ProblemAnswer>(few.url, 'few', upload(1, 'third'), { accept });
        const { retryable } = expectProblem(answer, 429, 'too-many-streams');
        expect(retryable).toBe(true);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
        expect(answer.headers['ratelimit-limit']).toBe(String(LIMIT));
      }
      expect((await postEvent(few.url, 'few', newEvent())).status).toBe(202);
      expect((await postStream(few.url, 'others', upload(1, 'others'))).status).toBe(202);
      first.end();
      await first.rest();
      await eventually(async () => expect((await postStream(few.url, 'few', upload(1, 'third'))).status).toBe(202));
      second.end();
      await second.rest();
    } finally {
      await few.close();
    }
  });
});

describe('streams that wait for a limit which api processes share in Redis', () => {
  let database: TestDatabase;
  let redis: OwnServer;
  let apis: TestProcess[] = [];
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), OwnServer.redis()]);
    const env = { APP_ROLE: 'api', DATABASE_URL: database.url, REDIS_URL: redis.url, LOG_LEVEL: 'info' };
    const limited = { ...env, TENANT_RATE_LIMIT_PER_MINUTE: String(LIMIT), SHUTDOWN_GRACE_MS: '10000' };
    apis = await Promise.all([startProcess(limited), startProcess(limited)]);
    await eventually(async () => {
      for (const { url } of apis) expect((await call<{ status: string }>(`${url}/ready`)).body.status).toBe('ready');
    });
  });
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.end('SIGKILL')));
    await redis?.stop();
    await database?.drop();
  });

  const eventsOf = async (tenant: string): Promise<number> => (await storedOf(database.url, tenant)).events;
  const [urlOf, bothWait] = [
    (i: number) => (apis[i] as TestProcess).url,
    () =>
      eventually(async () => {
        for (const { url } of apis) expect(await metric(url, 'streamforge_streams_waiting')).toBe(1);
      }),
  ];

  it('share it, go on when the next minute begins, and end truthfully at SIGTERM', async () => {
    const answers = [0, 1].map((i) => postStream<ProblemAnswer>(urlOf(i), 'both', upload(LIMIT * 4, `both-${i}`)));
    await bothWait();
    expect(await eventsOf('both')).toBe(STREAMS);

    const client = new Redis(redis.url);
    const [count] = await client.keys('streamforge:tenant-limit:*:both');
    expect(await client.del(count as string)).toBe(1); // the minute ends
    client.disconnect();
    await eventually(async () => expect(await eventsOf('both')).toBeGreaterThan(STREAMS + 3), 20_000);

    const startedMs = performance.now();
    const codes = await Promise.all(apis.map((api) => api.end('SIGTERM')));
    expect(codes).toEqual([0, 0]);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    let accepted = 0;
    for (const answer of await Promise.all(answers)) {
      const problem = expectProblem(answer, 429, 'tenant-rate-limited');
      expect(problem.detail).toContain('shutting down');
      expect(problem.lastCommittedRecord).toBe(problem.summary?.records);
      accepted += problem.summary?.accepted ?? 0;
    }
    expect(accepted).toBe(await eventsOf('both'));
    for (const api of apis) {
      expect(api.output()).toContain('stream.waits-for-limit');
      expect(api.output()).toContain('stream.paced');
    }
  });
});
