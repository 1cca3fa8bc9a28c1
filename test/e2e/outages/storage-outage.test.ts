import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { expectProblem, postEvent, postStream, type ProblemAnswer } from '../../support/e2e-http';
import { OwnServer, rowsOf, storedOf } from '../../support/processes/e2e-own-servers';
import { residentMegabytes } from '../../support/processes/process-tree';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';

/** Chunks of a hundred records, so that many are under way whenever PostgreSQL goes away. */
function inHundreds(name: string, count: number): Readable {
  const events = syntheticEvents(count, name);
  return Readable.from(
    Array.from({ length: count / 100 }, (_, i) => toNdjson(events.slice(i * 100, i * 100 + 100))),
    { highWaterMark: 4 },
  );
}

describe('an api whose PostgreSQL fails', () => {
  let postgres: OwnServer;
  let api: TestProcess;
  beforeAll(async () => {
    postgres = await OwnServer.postgres();
    // As short a patience with a silent server as a test can wait for; the rest is as in production.
    api = await startProcess({ APP_ROLE: 'api', DATABASE_URL: `${postgres.url}?query_timeout=1000` });
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await postgres?.stop();
  });

  const sendAll = (tenant: string, lines: readonly string[]) =>
    Promise.all(
      lines.map((line, i) => postEvent(api.url, tenant, line, i % 2 ? { 'x-idempotency-key': `k-${i}` } : {})),
    );
  const linesOf = (tenant: string, count: number) => syntheticEvents(count, tenant).map(({ line }) => line);
  const acceptsAgain = () =>
    eventually(async () => {
      const [line] = linesOf(`again-${Date.now()}`, 1) as [string];
      expect((await postEvent(api.url, 'again', line)).status).toBe(202);
    });
  const expectRefusedForNow = (answers: Awaited<ReturnType<typeof sendAll>>): void => {
    for (const answer of answers) {
      const code = answer.text.includes('"overloaded"') ? 'overloaded' : 'storage-unavailable';
      expect(expectProblem(answer, 503, code).retryable).toBe(true);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
  };

  it('answers 503 with Retry-After while PostgreSQL is killed, and accepts the same requests once afterwards', async () => {
    const lines = linesOf('killed', 40);
    expect((await postEvent(api.url, 'killed', lines[0] as string)).status).toBe(202);
    await postgres.kill();
    expectRefusedForNow(await sendAll('killed', lines.slice(1)));

    await postgres.startAgain();
    await acceptsAgain();
    expect(await storedOf(postgres.url, 'killed')).toEqual({ events: 1, entries: 1, keys: 1 });
    const answers = await sendAll('killed', lines);
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i === 0 ? 200 : 202)));
    expect((await sendAll('killed', lines)).map(({ body }) => body.id)).toEqual(answers.map(({ body }) => body.id));
    expect(await storedOf(postgres.url, 'killed')).toEqual({ events: 40, entries: 40, keys: 40 });
  });

  it('has stored every event that was answered 2xx when PostgreSQL is killed under load', async () => {
    const lines = linesOf('under-load', 400);
    const answered: string[] = [];
    const post = async (line: string) => {
      const answer = await postEvent(api.url, 'under-load', line);
      if (answer.status === 202 || answer.status === 200) answered.push(answer.body.id);
      else expectRefusedForNow([answer]);
    };
    const clients = Array.from({ length: 20 }, async (_, i) => {
      for (let n = i; n < lines.length; n += 20) await post(lines[n] as string);
    });
    await eventually(() => expect(answered.length).toBeGreaterThan(50));
    await postgres.kill();
    await postgres.startAgain();
    await Promise.all(clients);
    const kept = await rowsOf(postgres.url, 'select from events where id = any($1::uuid[])', [answered]);
    expect(kept).toHaveLength(new Set(answered).size);
    await acceptsAgain();
    for (const { status } of await sendAll('under-load', lines)) expect([200, 202]).toContain(status);
    expect(await storedOf(postgres.url, 'under-load')).toMatchObject({ events: 400, entries: 400 });
  });

  it('answers 503 with what was committed when PostgreSQL is killed during a stream, and accepts the stream again', async () => {
    const events = syntheticEvents(3_000, 'broken');
    const body = new Readable({ read: () => undefined });
    const answer = postStream<ProblemAnswer>(api.url, 'broken', body);
    body.push(toNdjson(events.slice(0, 1_000)));
    await eventually(async () => expect((await storedOf(postgres.url, 'broken')).events).toBe(1_000));
    await postgres.kill();
    body.push(toNdjson(events.slice(1_000)));
    body.push(null);
    const broken = await answer;
    const problem = expectProblem(broken, 503, 'storage-unavailable');
    expect(Number(broken.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(problem).toMatchObject({ summary: { records: 1_000, accepted: 1_000 }, lastCommittedRecord: 1_000 });

    await postgres.startAgain();
    await acceptsAgain();
    const { summary } = (await postStream(api.url, 'broken', toNdjson(events))).body;
    expect(summary).toMatchObject({ records: 3_000, accepted: 2_000, duplicates: 1_000, rejected: 0 });
    expect(await storedOf(postgres.url, 'broken')).toEqual({ events: 3_000, entries: 3_000, keys: 3_000 });
  });

  it('completes a stream with a result for every record when PostgreSQL freezes for a moment', async () => {
    const answer = postStream(api.url, 'hiccup', inHundreds('hiccup', 5_000));
    await eventually(async () => expect((await storedOf(postgres.url, 'hiccup')).events).toBeGreaterThan(0));
    await inTurns(
      async () => postgres.freeze(),
      async () => postgres.thaw(),
      4,
      answer,
    );
    const { status, body } = await answer;
    expect([status, body.summary]).toMatchObject([
      202,
      { records: 5_000, accepted: 5_000, duplicates: 0, rejected: 0 },
    ]);
    expect(await storedOf(postgres.url, 'hiccup')).toEqual({ events: 5_000, entries: 5_000, keys: 5_000 });
  });

  it('keeps its memory bounded and its counts exact when PostgreSQL stops and continues under five streams', async () => {
    const COUNT = 20_000;
    const pid = api.child.pid as number;
    const idle = residentMegabytes(pid);
    let peak = idle;
    const tenants = Array.from({ length: 5 }, (_, i) => `many-${i}`);
    const streams = Promise.all(tenants.map((tenant) => postStream(api.url, tenant, inHundreds(tenant, COUNT))));
    const measure = () => (peak = Math.max(peak, residentMegabytes(pid)));
    await inTurns(
      async () => postgres.freeze(),
      async () => postgres.thaw(),
      1_000,
      streams,
      measure,
    );
    for (const { status, body } of await streams) {
      expect([status, body.summary]).toMatchObject([202, { records: COUNT, accepted: COUNT }]);
    }
    expect(peak - idle).toBeLessThan(250);
    for (const tenant of tenants) {
      expect(await storedOf(postgres.url, tenant)).toEqual({ events: COUNT, entries: COUNT, keys: COUNT });
    }
  });

  it('answers 503 with Retry-After while PostgreSQL is frozen, and stores the same requests once afterwards', async () => {
    const lines = linesOf('frozen', 40);
    postgres.freeze();
    const startedMs = performance.now();
    expectRefusedForNow(await sendAll('frozen', lines));
    expect(performance.now() - startedMs).toBeLessThan(25_000);
    postgres.thaw();
    await acceptsAgain();
    // A statement that was on its way when PostgreSQL froze may be carried out when it thaws: then it is a duplicate.
    const answers = await sendAll('frozen', lines);
    for (const { status } of answers) expect([200, 202]).toContain(status);
    const again = await sendAll('frozen', lines);
    expect(again.map(({ status, body }) => [status, body.id])).toEqual(answers.map(({ body }) => [200, body.id]));
    expect(await storedOf(postgres.url, 'frozen')).toEqual({ events: 40, entries: 40, keys: 40 });
  });
});

/** `one`, then `other` after 300 ms, and so on, until `until` settles or it was done `times` times. Ends with `other`. */
async function inTurns(
  one: () => Promise<void>,
  other: () => Promise<void>,
  times: number,
  until: Promise<unknown>,
  meanwhile: () => unknown = () => undefined,
): Promise<void> {
  let settled = false;
  void until.catch(() => undefined).finally(() => (settled = true));
  const wait = async (): Promise<void> => {
    for (const end = Date.now() + 300; Date.now() < end && !settled;) {
      meanwhile();
      await sleep(20);
    }
  };
  try {
    for (let turn = 0; turn < times && !settled; turn++) {
      await one();
      await wait();
      await other();
      await wait();
    }
  } finally {
    await other();
  }
}
