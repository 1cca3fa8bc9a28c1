import * as fs from 'node:fs';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import {
  call,
  expectProblem,
  getEvent,
  postEvent,
  postStream,
  rawExchange,
  type ProblemAnswer,
} from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { LINES, OpenStream, type Line } from '../../support/open-stream';

const line = (id: string, payload = `"${id}"`) =>
  `{"eventId":"${id}","eventType":"x","subject":"s","payload":${payload}}\n`;

/** Counts the response files that this process, and so the application in it, holds open. */
function openAnswerFiles(): number {
  if (process.platform !== 'linux') return NaN;
  return fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).includes('streamforge-response');
    } catch {
      return false; // closed since it was listed
    }
  }).length;
}
const expectAnswerFiles = (count: number) => eventually(() => expect([count, NaN]).toContain(openAnswerFiles()));

describe('a stream with a response line by line', () => {
  let database: TestDatabase;
  let running: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    const limits = { MAX_EVENT_BYTES: '2048', STREAM_MAX_BYTES: '20000000', REQUEST_STALL_TIMEOUT_MS: '2000' };
    running = await startTestApp(database.url, limits);
  });
  afterAll(async () => {
    await running.close();
    await database.drop();
  });

  const send = async (tenant: string, body: string | Buffer, headers: OutgoingHttpHeaders = {}) => {
    const stream = { 'content-type': 'application/x-ndjson', 'x-tenant-id': tenant, ...LINES, ...headers };
    const opened = request(`${running.url}/v1/ingest/stream`, { method: 'POST', headers: stream, agent: false });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      opened.on('response', resolve).on('error', reject).end(body);
    });
    const text = (await response.setEncoding('utf8').toArray()).join('');
    return { status: response.statusCode as number, headers: response.headers, text };
  };
  const parsed = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one) as Line);
  const storedFor = async (tenant: string): Promise<number> =>
    (await database.pool.query('select from events where tenant_id = $1', [tenant])).rowCount ?? 0;

  it('gets a line for each record in order, and a last line with the summary', async () => {
    const first = await postEvent(running.url, 'order', line('known'));
    const body = `${line('new')}\n${line('known')}{"eventType":\n${line('known', '2')}${line('typo', '1,"typo":1')}`;
    const answer = await send('order', body, { 'x-correlation-id': 'lines-1' });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'x-correlation-id': 'lines-1' });
    expect(answer.headers['content-type']).toMatch(/^application\/x-ndjson/);
    const lines = parsed(answer.text);
    const newId = (await getEvent(running.url, 'order', 'new')).body.id;
    const text = expect.stringMatching(/\S/) as string;
    expect(lines).toEqual([
      { record: 1, status: 'accepted', id: newId, eventId: 'new' },
      { record: 2, status: 'duplicate', id: first.body.id, eventId: 'known' },
      { record: 3, status: 'rejected', code: 'malformed-body', message: text },
      { record: 4, status: 'rejected', code: 'event-id-conflict', message: text },
      { record: 5, status: 'rejected', code: 'invalid-event', message: text, pointer: '/typo' },
      { summary: { records: 5, accepted: 1, duplicates: 1, rejected: 3, bytes: Buffer.byteLength(body) } },
    ]);
  });

  it('gets only the summary when it is empty, and status 200 when all records are rejected', async () => {
    const none = { records: 0, accepted: 0, duplicates: 0, rejected: 0, bytes: 0 };
    expect(parsed((await send('empty', '')).text)).toEqual([{ summary: none }]);
    const rejected = await send('empty', '{}\n[]\n');
    expect(rejected.status).toBe(200);
    expect(parsed(rejected.text).at(-1)?.summary).toMatchObject({ records: 2, rejected: 2 });
  });

  it.each([
    ['XML', 'application/xml', '<e><event eventId="1" eventType="x" subject="s" payload="1"/><event/></e>'],
    ['encoded NDJSON', 'application/x-ndjson', gzipSync(`${line('1')}{}`)],
  ])('may be %s', async (what, type, body) => {
    const encoding: OutgoingHttpHeaders = Buffer.isBuffer(body) ? { 'content-encoding': 'gzip' } : {};
    const answer = await send(what.replace(' ', '-'), body, { 'content-type': type, ...encoding });
    expect(parsed(answer.text).map(({ status }) => status)).toEqual(['accepted', 'rejected', undefined]);
  });

  it('may accept other types as well', async () => {
    const answer = await send('accept', line('1'), { accept: 'application/json;q=0.5, application/x-ndjson' });
    expect(parsed(answer.text)).toHaveLength(2);
  });

  it.each([
    [{ 'x-tenant-id': '?' }, 400, 'tenant-invalid'],
    [{ 'content-encoding': 'rot13' }, 415, 'unsupported-content-encoding'],
    [{ 'content-type': 'text/csv' }, 415, 'unsupported-media-type'],
  ])('gets an ordinary problem when it is rejected at once: %j', async (headers, status, code) => {
    expectProblem(await send('refused', line('1'), headers), status, code);
  });

  it('gets the first lines while the upload is still open', async () => {
    const stream = new OpenStream(running.url, 'open');
    for (const n of [1, 2, 3]) {
      const text = line(`open-${n}`);
      await stream.write(text.slice(0, 20));
      await stream.write(text.slice(20));
      expect(await stream.next()).toMatchObject({ record: n, status: 'accepted', eventId: `open-${n}` });
      expect(await storedFor('open')).toBe(n); // durable before its line was sent
    }
    stream.end();
    expect(await stream.rest()).toMatchObject([{ summary: { records: 3, accepted: 3 } }]);
  });

  describe('when the client reads nothing before it has sent everything', () => {
    const COUNT = 30_000;
    /** Long ids, so that the lines exceed the buffers of two sockets. */
    const idOf = (n: number) => `${n}-${'i'.repeat(240)}`;
    const upload = async (stream: OpenStream): Promise<void> => {
      for (let n = 0; n < COUNT; n += 500) {
        await stream.write(Array.from({ length: 500 }, (_, i) => line(idOf(n + i + 1), `${n + i + 1}`)).join(''));
      }
    };

    it('gets every line, and other requests are served in the meantime', async () => {
      const stream = new OpenStream(running.url, 'unread');
      await upload(stream);
      await eventually(async () => expect(await storedFor('unread')).toBe(COUNT));
      await expectAnswerFiles(1);
      expect((await postEvent(running.url, 'other', line('meanwhile'))).status).toBe(202);
      expect((await call(`${running.url}/health`)).status).toBe(200);
      stream.end();
      const lines = await stream.rest();
      expect(lines).toHaveLength(COUNT + 1);
      expect(lines.pop()).toMatchObject({ summary: { records: COUNT, accepted: COUNT } });
      const wrong = lines.findIndex(({ record, eventId }, i) => record !== i + 1 || eventId !== idOf(i + 1));
      expect(wrong).toBe(-1);
      await expectAnswerFiles(0);
    });

    it('keeps its records, leaves no file open and the server healthy when the client disconnects', async () => {
      const stream = new OpenStream(running.url, 'hung-up');
      await upload(stream);
      await eventually(async () => expect(await storedFor('hung-up')).toBe(COUNT));
      await expectAnswerFiles(1);
      await stream.write(line('cut').slice(0, 20));
      stream.hangUp();
      await expectAnswerFiles(0);
      expect((await call<{ status: string }>(`${running.url}/ready`)).body.status).toBe('ready');
      const again = await postStream(running.url, 'hung-up', line(idOf(1), '1') + line(idOf(COUNT), `${COUNT}`));
      expect(again.body.summary).toMatchObject({ duplicates: 2 });
      expect(await storedFor('hung-up')).toBe(COUNT);
    });
  });

  describe('when it breaks off', () => {
    const expectBroken = (lines: Line[], code: string) => {
      const last = lines.at(-1) as ProblemAnswer;
      expect(last).toMatchObject({
        code,
        type: `urn:streamforge:problem:${code}`,
        lastCommittedRecord: lines.length - 1,
      });
      expect(last.summary).toMatchObject({ records: lines.length - 1 });
      expect(lines.slice(0, -1).map(({ record }) => record)).toEqual(lines.slice(0, -1).map((_, i) => i + 1));
      return last;
    };

    it('ends with the problem when it is too large', async () => {
      const small = await startTestApp(database.url, { STREAM_MAX_BYTES: '50000' });
      const stream = new OpenStream(small.url, 'too-large');
      void stream.write(toNdjson(syntheticEvents(1_000, 'too-large')));
      const lines = await stream.rest();
      const { status, summary } = expectBroken(lines, 'stream-too-large');
      expect(status).toBe(413);
      expect(summary?.accepted).toBeGreaterThan(100);
      expect(await storedFor('too-large')).toBe(summary?.accepted);
      stream.hangUp();
      await small.close();
    });

    it('reads on, for a client that reads nothing before it has sent everything', async () => {
      const small = await startTestApp(database.url, { STREAM_MAX_BYTES: '10000000' });
      const stream = new OpenStream(small.url, 'read-on');
      const id = 'i'.repeat(240);
      for (let n = 0; n < 60_000; n += 500) {
        await stream.write(Array.from({ length: 500 }, (_, i) => line(`${n + i}-${id}`, `${n + i}`)).join(''));
      }
      stream.end();
      const { summary } = expectBroken(await stream.rest(), 'stream-too-large');
      expect(summary?.accepted).toBeGreaterThan(10_000);
      await small.close();
    });

    it.each([
      ['malformed XML', { 'content-type': 'application/xml' }, '<e><event eventType="x" subject="s" payload="1"/></x>'],
      ['a cut encoding', { 'content-encoding': 'gzip' }, gzipSync(line('cut')).subarray(0, -8)],
    ])('ends with the problem for %s', async (what, headers, body) => {
      expectBroken(parsed((await send(what.replaceAll(' ', '-'), body, headers)).text), 'malformed-body');
    });

    it('ends with the problem and closes the connection when it stalls', async () => {
      const head = `POST /v1/ingest/stream HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: stalled\r\nAccept: application/x-ndjson\r\n`;
      const start = `Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n${line('stalled')}{"even`;
      const answer = await rawExchange(running.url, head + start, 8_000);
      expect(answer).toMatch(/"record":1,"status":"accepted"[^]*"code":"request-timeout"[^]*"lastCommittedRecord":1/);
    });
  });
});
