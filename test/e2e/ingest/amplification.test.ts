import { randomBytes } from 'node:crypto';
import { request, type ClientRequest } from 'node:http';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, expectProblem, postEvent, postStream, type Answer, type ProblemAnswer } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { givenKey, heedAccess } from '../../support/credentials';
import { givenSource } from '../../support/sources';
import { OpenStream } from '../../support/open-stream';

const MEGABYTE = 1_048_576;
/** What the results of a stream that is answered line by line may hold. */
const RESULTS_BYTES = 256 * 1024;

const CODINGS: Record<string, (bytes: Buffer | string) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  zstd: (bytes) => zstdCompressSync(bytes),
};

/** Where a body may be sent: path, media type, and what has to be around filler that brings no event. */
const WAYS_IN: Record<string, { path: string; type: string; before: string; after: string }> = {
  NDJSON: { path: '/v1/ingest/stream', type: 'application/x-ndjson', before: '', after: '' },
  XML: { path: '/v1/ingest/stream', type: 'application/xml', before: '<events>', after: '</events>' },
  'an array': { path: '/v1/events', type: 'application/json', before: '[', after: ']' },
  'a batch': { path: '/v1/events', type: 'application/cloudevents-batch+json', before: '[', after: ']' },
  'an event': { path: '/v1/events', type: 'application/json', before: '{"payload":"', after: '"}' },
  'a CloudEvent': { path: '/v1/events', type: 'application/cloudevents+json', before: '{"data":"', after: '"}' },
};

const filled = (unit: string, bytes: number): Buffer =>
  Buffer.alloc(Math.ceil(bytes / Buffer.byteLength(unit)) * Buffer.byteLength(unit), unit);

describe('a small body that expands', () => {
  const running = useApp({ MAX_STREAMS_PER_TENANT: '50' });

  const send = (tenant: string, way: keyof typeof WAYS_IN, coding: string, body: Buffer) => {
    const { path, type } = WAYS_IN[way] as { path: string; type: string };
    return call<ProblemAnswer>(`${running.url}${path}`, {
      method: 'POST',
      headers: { 'x-tenant-id': tenant, 'content-type': type, 'content-encoding': coding },
      body,
    });
  };
  /** Filler of one kind, encoded, as the body of a way in. */
  const fillerBody = (way: keyof typeof WAYS_IN, coding: string, unit: string, bytes: number): Buffer => {
    const { before, after } = WAYS_IN[way] as { before: string; after: string };
    const encode = CODINGS[coding] as (bytes: Buffer) => Buffer;
    return encode(Buffer.concat([Buffer.from(before), filled(unit, bytes), Buffer.from(after)]));
  };
  const refusals = async (reason: string): Promise<number> => {
    const { text } = await call(`${running.url}/metrics`);
    return Number(new RegExp(`^streamforge_bodies_refused_total{reason="${reason}"} (\\d+)$`, 'm').exec(text)?.[1]);
  };

  describe.each(Object.keys(WAYS_IN))('as %s', (way) => {
    it.each(Object.keys(CODINGS))('ends with 413 expansion-too-large: 16 MB of blanks in %s', async (coding) => {
      const body = fillerBody(way, coding, ' ', 16 * MEGABYTE);
      expect(body.length).toBeLessThan(20_000);
      const before = await refusals('expansion');
      const problem = expectProblem(await send('blanks', way, coding, body), 413, 'expansion-too-large');
      expect(problem).toMatchObject({ retryable: false, kept: false });
      if (!way.startsWith('a') || way === 'an array' || way === 'a batch') {
        expect(problem).toMatchObject({ summary: { records: 0 }, lastCommittedRecord: 0 });
        expect(problem.summary?.bytes).toBeLessThanOrEqual(MEGABYTE);
      }
      expect(await refusals('expansion')).toBe(before + 1);
    });
  });

  it('reports what was committed before the filler', async () => {
    const events = toNdjson(syntheticEvents(500, 'before'));
    const body = gzipSync(Buffer.concat([Buffer.from(events), filled('\n', 8 * MEGABYTE), Buffer.from(events)]));
    const problem = expectProblem(await send('before', 'NDJSON', 'gzip', body), 413, 'expansion-too-large');
    expect(problem).toMatchObject({ summary: { accepted: 500, records: 500 }, lastCommittedRecord: 500 });
  });

  it('is stored whole when it is made of events, also when it is sent again', async () => {
    const payload = 'always the same words. '.repeat(500);
    const lines = Array.from(
      { length: 800 },
      (_, n) => `${JSON.stringify(eventBody({ eventId: `e-${n}`, payload }))}\n`,
    );
    const body = zstdCompressSync(lines.join(''));
    expect(lines.join('').length / body.length).toBeGreaterThan(200);
    const first = await send('alike', 'NDJSON', 'zstd', body);
    expect(first.body).toMatchObject({ summary: { records: 800, accepted: 800 } });
    const again = await send('alike', 'NDJSON', 'zstd', body);
    expect(again.body).toMatchObject({ summary: { records: 800, duplicates: 800 } });
  }, 60_000);

  it('ends when it repeats one event for ever, and one whose records are all refused', async () => {
    const line = `${JSON.stringify(eventBody({ eventId: 'again' }))}\n`;
    const repeated = await send('repeats', 'NDJSON', 'zstd', zstdCompressSync(filled(line, 8 * MEGABYTE)));
    const problem = expectProblem(repeated, 413, 'expansion-too-large');
    expect(problem.summary?.accepted).toBe(1);
    const invalid = `{"payload":"${'x'.repeat(2_000)}"}\n`;
    const refused = await send('refused', 'NDJSON', 'zstd', zstdCompressSync(filled(invalid, 8 * MEGABYTE)));
    expectProblem(refused, 413, 'expansion-too-large');
  }, 60_000);

  it('ends soon when its records are as short as can be, since each is kept as a rejection', async () => {
    const body = brotliCompressSync(filled('a\n', 8 * MEGABYTE));
    const problem = expectProblem(await send('letters', 'NDJSON', 'br', body), 413, 'expansion-too-large');
    expect(problem.summary?.records).toBeGreaterThan(0);
    expect(problem.summary?.records).toBeLessThan(10_000);
  }, 60_000);

  it('costs time and memory by the bytes that were sent: any filler, encoding and way in', async () => {
    const unit = fc.constantFrom(' ', '\n', '\r\n', '\t', ' \n', 'x', '0', '[', '{}', '\ufeff\n', '<!---->', '&#32;');
    const attempt = fc.record({
      way: fc.constantFrom(...Object.keys(WAYS_IN)),
      coding: fc.constantFrom(...Object.keys(CODINGS)),
      unit,
      megabytes: fc.integer({ min: 2, max: 24 }),
      clients: fc.integer({ min: 1, max: 6 }),
    });
    const LARGEST_PART = 256 * 1024; // what a decompressor brings at a time
    // What the first megabyte of a body may cost, and what a kilobyte that was sent may cost beside it. With room for a
    // busy machine, and for the client, which runs in this process.
    const [FREE_CPU_MS, CPU_MS_PER_SENT_KB, FREE_MB] = [2_500, 20, 48];
    await fc.assert(
      fc.asyncProperty(attempt, async ({ way, coding, unit: filler, megabytes, clients }) => {
        const body = fillerBody(way, coding, filler, megabytes * MEGABYTE);
        const heldBefore = process.memoryUsage().rss;
        const cpuBefore = process.cpuUsage();
        let most = 0;
        const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
        const answers = await Promise.all(Array.from({ length: clients }, () => send('any', way, coding, body)));
        clearInterval(watch);
        const { user, system } = process.cpuUsage(cpuBefore);
        for (const { status, body: answer } of answers) {
          expect(status).toBeLessThan(500);
          expect(answer.summary?.bytes ?? 0).toBeLessThanOrEqual(Math.max(200 * body.length, MEGABYTE) + LARGEST_PART);
        }
        const sentKb = body.length / 1_000;
        expect((user + system) / 1_000 / clients).toBeLessThan(FREE_CPU_MS + CPU_MS_PER_SENT_KB * sentKb);
        expect((most - heldBefore) / MEGABYTE / clients).toBeLessThan(FREE_MB);
      }),
      { numRuns: 40 },
    );
    await eventually(async () => {
      const { text } = await call(`${running.url}/metrics`);
      expect(text).toMatch(/^streamforge_buffer_bytes 0$/m);
      expect(text).toMatch(/^streamforge_decompressors_open 0$/m);
    });
  }, 240_000);
});

describe('the bytes of filler', () => {
  const running = useApp({ TENANT_RATE_LIMIT_BYTES_PER_MINUTE: String(MEGABYTE), STREAM_PACE_MAX_SECONDS: '0' });
  const body = (bytes: number) => CODINGS.br?.(filled('\n', bytes)) as Buffer;
  const upload = (tenant: string, bytes: Buffer) =>
    postStream<ProblemAnswer>(running.url, tenant, bytes, { 'content-encoding': 'br' });

  it('count against the limit of the tenant, also when the stream has no record', async () => {
    const first = await upload('blank', body(800_000));
    expect([first.status, first.body.summary]).toEqual([202, expect.objectContaining({ records: 0, bytes: 800_000 })]);
    const second = await upload('blank', body(800_000));
    expect(expectProblem(second, 429, 'tenant-rate-limited').summary?.bytes).toBeLessThan(200_000);
  });

  it('count when every record is refused', async () => {
    const refused = filled(`{"payload":"${'x'.repeat(2_000)}"}\n`, 600_000);
    expect((await upload('refused', CODINGS.br?.(refused) as Buffer)).status).toBe(422);
    expectProblem(await upload('refused', body(600_000)), 429, 'tenant-rate-limited');
  });
});

describe('the bytes of an event that cannot be decoded', () => {
  const running = useApp({ TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '600000' });

  it('count against the limit of the tenant', async () => {
    const body = gzipSync(filled(' ', 250_000)).subarray(0, -4);
    const headers = { 'x-tenant-id': 'broken', 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const sent = () => call<ProblemAnswer>(`${running.url}/v1/events`, { method: 'POST', headers, body });
    const codes = [await sent(), await sent(), await sent()].map(({ body }) => body.code);
    expect(codes).toEqual(['malformed-body', 'malformed-body', 'tenant-rate-limited']);
  });
});

/** Sends nearly all of a body of 1 MB. */
function unfinished(url: string, headers: Record<string, string>): ClientRequest {
  const head = { ...headers, 'content-type': 'application/json', 'content-length': '1000000' };
  const sent = request(`${url}/v1/events`, { method: 'POST', headers: head, agent: false });
  sent.on('error', () => undefined);
  sent.write(Buffer.alloc(990_000, ' '));
  return sent;
}

describe('what senders can hold', () => {
  const running = useApp({
    MAX_STREAMS: '3',
    MAX_STREAMS_PER_TENANT: '2',
    MAX_DECOMPRESSORS: '2',
    MAX_BUFFER_BYTES: '16777216',
    MAX_EVENT_BYTES: '1048576',
    REQUEST_STALL_TIMEOUT_MS: '60000',
  });
  const line = (n: string): string => `${JSON.stringify(eventBody({ eventId: n }))}\n`;
  const expectUnavailable = (answer: Answer<ProblemAnswer>): void => {
    const problem = expectProblem(answer, 503, 'overloaded');
    expect(problem.retryable).toBe(true);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  };
  const held = async (): Promise<number> => {
    const { text } = await call(`${running.url}/metrics`);
    return Number(/^streamforge_buffer_bytes (\d+)$/m.exec(text)?.[1]);
  };
  const expectNothingHeld = () => eventually(async () => expect(await held()).toBe(0));

  it('is at most MAX_STREAMS streams; the next gets 503, and goes in when one has ended', async () => {
    const open = ['a', 'b', 'c'].map((tenant) => new OpenStream(running.url, tenant));
    for (const [i, stream] of open.entries()) {
      await stream.write(line(`open-${i}`));
      expect(await stream.next()).toMatchObject({ status: 'accepted' });
    }
    expect(await held()).toBe(3 * (2 * MEGABYTE + RESULTS_BYTES));
    expectUnavailable(await postStream<ProblemAnswer>(running.url, 'd', line('d')));
    expect((await postEvent(running.url, 'd', line('single'))).status).toBe(202);
    open[0]?.hangUp();
    await eventually(async () => expect((await postStream(running.url, 'd', line('d'))).status).toBe(202));
    for (const stream of open.slice(1)) stream.end();
    await expectNothingHeld();
  });

  it('is at most MAX_DECOMPRESSORS encoded bodies: the next waits, and is refused after 5 s', async () => {
    const encoded = (tenant: string, n: string) =>
      postStream<ProblemAnswer>(running.url, tenant, gzipSync(line(n)), { 'content-encoding': 'gzip' });
    const open = ['e', 'f'].map((tenant) => new OpenStream(running.url, tenant, { 'content-encoding': 'gzip' }));
    for (const stream of open) await stream.write(gzipSync(randomBytes(1_000)).subarray(0, 500) as unknown as string);
    await eventually(async () => {
      expect((await call(`${running.url}/metrics`)).text).toMatch(/^streamforge_decompressors_open 2$/m);
    });
    expectUnavailable(await encoded('g', 'late'));
    const waiting = encoded('g', 'in-time');
    open[0]?.hangUp();
    expect((await waiting).status).toBe(202);
    open[1]?.hangUp();
    await expectNothingHeld();
  }, 30_000);

  it('is given back by encoded arrays that are refused, whatever the reason', async () => {
    const array = gzipSync(`[${'1,'.repeat(40_000)}x]`);
    const noneOpen = () =>
      eventually(async () => {
        expect((await call(`${running.url}/metrics`)).text).toMatch(/^streamforge_decompressors_open 0$/m);
      });
    const headers = { 'x-tenant-id': 'arrays', 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const sent = (more: Record<string, string>) =>
      call<ProblemAnswer>(`${running.url}/v1/events`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: array,
      });
    for (let i = 0; i < 3; i++) {
      expect((await sent({ 'idempotency-key': 'x'.repeat(300) })).body.code).toBe('idempotency-key-invalid');
      await noneOpen(); // a tenant has one of the two at a time
      expect(['stream-rejected', 'malformed-body', 'expansion-too-large']).toContain((await sent({})).body.code);
      await noneOpen();
    }
    await expectNothingHeld();
  });

  it('is at most MAX_BUFFER_BYTES: large bodies are refused, small events go on', async () => {
    const slow = Array.from({ length: 12 }, (_, i) => unfinished(running.url, { 'x-tenant-id': `slow-${i % 2}` }));
    await eventually(async () => expect(await held()).toBeGreaterThan(11_000_000));
    const large = JSON.stringify(eventBody({ payload: 'x'.repeat(900_000) }));
    expectUnavailable((await postEvent(running.url, 'large', large)) as unknown as Answer<ProblemAnswer>);
    expect((await postEvent(running.url, 'small', line('small'))).status).toBe(202);
    expect(await held()).toBeLessThanOrEqual(16_777_216);
    for (const request of slow) request.destroy();
    await expectNothingHeld();
    expect((await postEvent(running.url, 'large', large)).status).toBe(202);
  }, 30_000);
});

describe('what strangers can hold', () => {
  const running = useApp({
    TENANT_AUTH: 'key',
    MAX_BUFFER_BYTES: '16777216',
    MAX_EVENT_BYTES: '1048576',
    REQUEST_STALL_TIMEOUT_MS: '60000',
  });
  const held = async (): Promise<number> => {
    const { text } = await call(`${running.url}/metrics`);
    return Number(/^streamforge_buffer_bytes (\d+)$/m.exec(text)?.[1]);
  };

  it('is half of MAX_BUFFER_BYTES, whatever they claim: tenants, operators and sources go on', async () => {
    const keys = await Promise.all(['acme', 'globex'].map((tenantId) => givenKey(running.pool, { tenantId })));
    heedAccess(running.app);
    const large = (n: string): string => JSON.stringify(eventBody({ eventId: n, payload: 'x'.repeat(900_000) }));
    const post = (headers: Record<string, string>, body: string): Promise<Answer<ProblemAnswer>> =>
      call<ProblemAnswer>(`${running.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
    const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
    const [acme, globex] = keys.map(({ text }) => bearer(text)) as [Record<string, string>, Record<string, string>];
    expect((await post(acme, large('first'))).status).toBe(202); // the keys are known from now on

    const wrong = `${(keys[0] as { text: string }).text.slice(0, -1)}_`;
    const claims = [{}, { 'x-tenant-id': 'acme' }, bearer(wrong), { 'x-admin-token': 'wrong' }];
    const strangers = Array.from({ length: 16 }, (_, i) => unfinished(running.url, claims[i % claims.length] ?? {}));
    await eventually(async () => expect(await held()).toBeGreaterThan(7_000_000));
    const refused = await post({}, large('stranger'));
    expect(expectProblem(refused, 503, 'overloaded').retryable).toBe(true);
    expect(await held()).toBeLessThanOrEqual(8_388_608);

    expect((await post(acme, large('second'))).status).toBe(202);
    expect((await post(globex, large('third'))).status).toBe(202);
    const mapping = { eventType: '/eventType', subject: '/subject' };
    const source = await givenSource(running.app, running.pool, { verification: { scheme: 'none' }, mapping });
    const ofSource = { method: 'POST', headers: { 'content-type': 'application/json' }, body: large('of a source') };
    expect((await call(`${running.url}${source.path}`, ofSource)).status).toBeLessThan(300);
    for (const stranger of strangers) stranger.destroy();
    await eventually(async () => expect(await held()).toBe(0));
  }, 60_000);
});
