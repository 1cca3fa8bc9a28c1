import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson, type SyntheticEvent } from '../../support/e2e-events';
import {
  bodyOfRaw,
  call,
  expectProblem,
  getEvent,
  postStream,
  rawExchange,
  type ProblemAnswer,
} from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';

const MEGABYTE = 1024 * 1024;

/** Ten records in each chunk, so that the server writes many small batches at a time. */
function inTens(events: SyntheticEvent[]): Readable {
  return Readable.from(
    Array.from({ length: events.length / 10 }, (_, i) => toNdjson(events.slice(i * 10, i * 10 + 10))),
  );
}

describe('a stream that breaks off', () => {
  let database: TestDatabase;
  let running: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    running = await startTestApp(database.url, { STREAM_MAX_BYTES: '1000000', REQUEST_STALL_TIMEOUT_MS: '300' });
  });
  afterAll(async () => {
    await running.close();
    await database.drop();
  });

  const storedFor = async (tenant: string): Promise<number> =>
    (await database.pool.query('select from events where tenant_id = $1', [tenant])).rowCount ?? 0;
  const head = (tenant: string) =>
    `POST /v1/ingest/stream HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: ${tenant}\r\nContent-Type: application/x-ndjson\r\n`;
  const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

  it('keeps the records within the size limit and reports how far it got', async () => {
    const events = syntheticEvents(10_000, 'too-large');
    const answer = await postStream<ProblemAnswer>(running.url, 'too-large', inTens(events));
    const problem = expectProblem(answer, 413, 'stream-too-large');
    const { summary, lastCommittedRecord } = problem;
    expect(summary?.accepted).toBeGreaterThan(100);
    expect(summary).toMatchObject({ records: summary?.accepted, duplicates: 0, rejected: 0 });
    expect(lastCommittedRecord).toBe(summary?.accepted);
    expect(await storedFor('too-large')).toBe(summary?.accepted);
    const last = events[(lastCommittedRecord as number) - 1];
    expect((await getEvent(running.url, 'too-large', last?.eventId as string)).status).toBe(200);
  });

  it('commits no more than it reports when it is too large', async () => {
    const events = syntheticEvents(10_000, 'unreported');
    const answer = await postStream<ProblemAnswer>(running.url, 'unreported', inTens(events));
    const { lastCommittedRecord } = answer.body;
    const rest = toNdjson(events.slice(lastCommittedRecord, (lastCommittedRecord as number) + 500));
    const { summary } = (await postStream(running.url, 'unreported', rest)).body;
    expect(summary).toMatchObject({ accepted: 500, duplicates: 0 });
  });

  it('gets its response when it is too large and arrives at once', async () => {
    const body = toNdjson(syntheticEvents(10_000, 'at-once'));
    const answer = await postStream<ProblemAnswer>(running.url, 'at-once', body);
    const { summary } = expectProblem(answer, 413, 'stream-too-large');
    expect(await storedFor('at-once')).toBe(summary?.accepted);
  });

  it('gets 408 with what was committed when it stalls, and can be sent again', async () => {
    const [first, second] = syntheticEvents(2, 'stalled').map(({ line }) => `${line}\n`) as [string, string];
    const request = `${head('stalled')}Transfer-Encoding: chunked\r\n\r\n${chunk(first)}${chunk(second.slice(0, 30))}`;
    const answer = await rawExchange(running.url, request);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(bodyOfRaw<ProblemAnswer>(answer)).toMatchObject({
      code: 'request-timeout',
      retryable: true,
      summary: { records: 1, accepted: 1, duplicates: 0, rejected: 0 },
      lastCommittedRecord: 1,
    });
    const again = await postStream(running.url, 'stalled', first + second);
    expect(again.body.summary).toMatchObject({ accepted: 1, duplicates: 1 });
  });

  it('gets 408 when it stalls before its first byte', async () => {
    const answer = await rawExchange(running.url, `${head('stalled')}Content-Length: 10\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(bodyOfRaw<ProblemAnswer>(answer)).toMatchObject({ lastCommittedRecord: 0, summary: { records: 0 } });
  });

  it('does not count as stalled while it continues slowly', async () => {
    async function* slowly() {
      for (const { line } of syntheticEvents(15, 'slow')) {
        yield `${line}\n`;
        await sleep(40);
      }
    }
    expect((await postStream(running.url, 'slow', Readable.from(slowly()))).body.summary).toMatchObject({
      accepted: 15,
    });
  });

  it('keeps the committed records and a healthy server when the client disconnects', async () => {
    const events = syntheticEvents(60, 'aborted');
    const { hostname, port } = new URL(running.url);
    const socket: Socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(`${head('aborted')}Transfer-Encoding: chunked\r\n\r\n${chunk(toNdjson(events.slice(0, 50)))}`);
    await eventually(async () => expect(await storedFor('aborted')).toBe(50));
    socket.write(chunk((events[50] as { line: string }).line.slice(0, 40)));
    socket.resetAndDestroy();

    const again = await postStream(running.url, 'aborted', toNdjson(events));
    expect(again.body.summary).toMatchObject({ records: 60, accepted: 10, duplicates: 50 });
    expect((await call(`${running.url}/health`)).status).toBe(200);
    expect((await call<{ status: string }>(`${running.url}/ready`)).body.status).toBe('ready');
  });
});

describe('a stream larger than the memory budget', () => {
  let database: TestDatabase;
  let api: TestProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startProcess({ APP_ROLE: 'api', DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api.end('SIGKILL');
    await database.drop();
  });

  const residentBytes = async (): Promise<number> => {
    const { text } = await call(`${api.url}/metrics`);
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
  };

  it('is read only as fast as a slow database stores, and never held in memory', async () => {
    const COUNT = 50_000;
    const filler = 'x'.repeat(1_800);
    let produced = 0;
    function* body() {
      for (let n = 0; n < COUNT; n += 20) {
        let part = '';
        for (let i = n; i < n + 20; i++) part += `{"eventType":"big","subject":"${i}","payload":"${filler}"}\n`;
        produced += part.length;
        yield part;
      }
    }
    await postStream(api.url, 'warm-up', toNdjson(syntheticEvents(2_000, 'warm-up')));
    const before = await residentBytes();

    const blocker = await database.pool.connect();
    await blocker.query('begin');
    await blocker.query('lock table events in share mode'); // readers pass, inserts wait
    const answer = postStream(api.url, 'acme', Readable.from(body(), { objectMode: true, highWaterMark: 1 }));
    let seen = -1;
    await eventually(() => {
      const same = produced === seen && produced > 0;
      seen = produced;
      if (!same) throw new Error('the sender is still sending');
    });
    expect(produced).toBeLessThan(20 * MEGABYTE); // of 90 MB: the rest waits at the sender
    await blocker.query('commit');
    blocker.release();

    let peak = await residentBytes();
    let done = false;
    void answer.finally(() => (done = true));
    while (!done) {
      peak = Math.max(peak, await residentBytes());
      await sleep(50);
    }
    expect((await answer).body.summary).toMatchObject({ records: COUNT, accepted: COUNT, bytes: produced });
    expect(peak - before).toBeLessThan(250 * MEGABYTE);
  });
});
