import { gzipSync } from 'node:zlib';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, expectProblem, postEvent, postStream, type ProblemAnswer } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { OpenStream } from '../../support/open-stream';
import { storedOf } from '../../support/processes/e2e-own-servers';
import { givenTenant } from '../../support/tenants';

const BYTES = 20_000;
const newEvent = (fields: Record<string, unknown> = {}) => JSON.stringify(eventBody(fields));
const upload = (count: number, run: string) => toNdjson(syntheticEvents(count, run));
/** An event whose body has this many bytes. */
const ofSize = (bytes: number, eventId: string): string => {
  const frame = JSON.stringify(eventBody({ eventId, payload: '' }));
  return JSON.stringify(eventBody({ eventId, payload: 'x'.repeat(bytes - frame.length) }));
};
/** Lines of `size` bytes each, with the line end. */
const linesOfSize = (count: number, size: number, run: string): string =>
  Array.from({ length: count }, (_, i) => `${ofSize(size - 1, `${run}-${i}`)}\n`).join('');

describe('limits of tenants', () => {
  let database: TestDatabase;
  let running: TestApp;
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    running = await startTestApp(database.url, {
      TENANT_RATE_LIMIT_PER_MINUTE: '10',
      TENANT_RATE_LIMIT_BYTES_PER_MINUTE: String(BYTES),
      STREAM_PACE_MAX_SECONDS: '600',
    });
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
  const same = newEvent({ eventId: 'the-same' });
  const limitOf = async (tenant: string): Promise<unknown> =>
    (await postEvent(url, tenant, same)).headers['ratelimit-limit'];
  const heededWithinASecond = (check: () => Promise<void>) => eventually(check, 1_000);

  describe('in events', () => {
    it("are a tenant's own, beat the default, and are heeded within a second of a change", async () => {
      expect(await limitOf('own')).toBe('10');
      await givenTenant(database.pool, 'own', { eventsPerMinute: 50 });
      await heededWithinASecond(async () => expect(await limitOf('own')).toBe('50'));
      await givenTenant(database.pool, 'own', { eventsPerMinute: 0 });
      await heededWithinASecond(async () => expect(await limitOf('own')).toBeUndefined());
      await givenTenant(database.pool, 'own', { eventsPerMinute: null });
      await heededWithinASecond(async () => expect(await limitOf('own')).toBe('10'));
      expect(await limitOf('other')).toBe('10');
    });

    it('remember what was used when they change', async () => {
      const sent = newEvent({ eventId: 'the-same' });
      await givenTenant(database.pool, 'remember', { eventsPerMinute: 5 });
      await heededWithinASecond(async () => {
        const { headers } = await postEvent(url, 'remember', sent);
        expect(headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': '4' });
      });
      await givenTenant(database.pool, 'remember', { eventsPerMinute: 3 });
      await heededWithinASecond(async () => {
        const { headers } = await postEvent(url, 'remember', sent);
        expect(headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-remaining': '2' });
      });
    });

    it('let a stream that waits go on within a second of a change', async () => {
      const answer = postStream(url, 'waits', upload(100, 'waits'));
      await eventually(async () => expect(await eventsOf('waits')).toBe(9));
      await givenTenant(database.pool, 'waits', { eventsPerMinute: 0 });
      await heededWithinASecond(async () => expect(await eventsOf('waits')).toBe(100));
      expect((await answer).status).toBe(202);
    });
  });

  describe('in bytes', () => {
    it('refuse a single event whose body does not fit, before anything is looked up, and do not charge it', async () => {
      const first = ofSize(15_000, 'first');
      expect((await postEvent(url, 'single', first)).status).toBe(202);
      for (let i = 0; i < 2; i++) {
        const answer = await postEvent(url, 'single', first); // a duplicate
        const { detail, retryable } = expectProblem(answer, 429, 'tenant-rate-limited');
        expect([detail, retryable]).toEqual([`A tenant may send at most ${BYTES} bytes per minute.`, true]);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
        expect(answer.headers).toMatchObject({ 'ratelimit-limit': '10', 'ratelimit-remaining': '9' });
      }
      expect((await postEvent(url, 'single', ofSize(5_000, 'second'))).status).toBe(202);
      expectProblem(await postEvent(url, 'single', newEvent()), 429, 'tenant-rate-limited');
      expectProblem(await postEvent(url, 'single', ''), 429, 'tenant-rate-limited');
      expect((await postEvent(url, 'single-other', newEvent())).status).toBe(202);
    });

    it('charge duplicates and refused events', async () => {
      const sent = ofSize(6_000, 'the-same');
      expect((await postEvent(url, 'charged', sent)).status).toBe(202);
      expect((await postEvent(url, 'charged', sent)).status).toBe(200);
      expect((await postEvent(url, 'charged', ofSize(6_000, 'x').replace('eventType', 'eventTyp'))).status).toBe(400);
      expectProblem(await postEvent(url, 'charged', sent), 429, 'tenant-rate-limited');
      const stream = await postStream<ProblemAnswer>(url, 'charged-stream', linesOfSize(9, 2_000, 'charged'));
      expect(stream.body.summary).toMatchObject({ accepted: 9, bytes: 18_000 });
      expectProblem(await postEvent(url, 'charged-stream', ofSize(2_100, 'x')), 429, 'tenant-rate-limited');
      expect((await postEvent(url, 'charged-stream', ofSize(2_000, 'x'))).status).toBe(202);
    });

    it('count bytes after decompression', async () => {
      const post = (tenant: string, size: number, wrap: (text: string) => string = (text) => text) =>
        call(`${url}/v1/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-tenant-id': tenant },
          body: gzipSync(wrap(ofSize(size, `e-${size}`))),
        });
      expect((await post('encoded', 15_000)).status).toBe(202);
      expect((await post('encoded', 6_000)).status).toBe(429);
      expect((await post('encoded-array', 15_000, (text) => `[${text}]`)).status).toBe(202);
      expect((await post('encoded-array', 6_000)).status).toBe(429);
    });

    it('take an event that is larger than the limit while nothing is used, and then nothing for the minute', async () => {
      const own = await startTestApp(database.url, { TENANT_RATE_LIMIT_BYTES_PER_MINUTE: String(BYTES) });
      try {
        expect((await postEvent(own.url, 'large', ofSize(BYTES * 3, 'large'))).status).toBe(202);
        expectProblem(await postEvent(own.url, 'large', newEvent()), 429, 'tenant-rate-limited');
        const now = performance.now.bind(performance);
        jest.spyOn(performance, 'now').mockImplementation(() => now() + 61_000); // a monotonic clock never goes back
        expect((await postEvent(own.url, 'large', newEvent())).status).toBe(202);
        expectProblem(await postEvent(own.url, 'large', ofSize(BYTES * 3, 'larger')), 429, 'tenant-rate-limited');
      } finally {
        await own.close();
      }
    });

    it('pace a stream, evenly, and leave the last tenth to single events', async () => {
      await givenTenant(database.pool, 'paced', { eventsPerMinute: 0 });
      await heededWithinASecond(async () => expect(await limitOf('paced')).toBeUndefined());
      speedUp(10); // a minute takes six seconds
      const startedMs = performance.now();
      const stream = new OpenStream(url, 'paced');
      void stream.write(linesOfSize(40, 1_000, 'paced')).then(() => stream.end());
      const arrivedMs: number[] = [];
      for (let line = await stream.next(); line; line = await stream.next()) {
        if (line.record !== undefined) arrivedMs.push(performance.now() - startedMs);
        else expect(line).toMatchObject({ summary: { records: 40, accepted: 40, bytes: 40_000 } });
      }
      expect(arrivedMs).toHaveLength(40);
      expect(arrivedMs[14]).toBeLessThan(40_000); // 18 of 20 KB at once, less what was sent before
      expect(arrivedMs[18]).toBeGreaterThan(55_000);
      expect(arrivedMs[39]).toBeGreaterThan(115_000);
      expect(arrivedMs[39]).toBeLessThan(190_000);
      const gaps = arrivedMs.slice(20).map((ms, i) => ms - (arrivedMs[19 + i] as number));
      expect(Math.max(...gaps)).toBeLessThan(35_000);
    });

    it('end a stream that has waited too long as tenant-rate-limited, which names the limit', async () => {
      const impatient = await startTestApp(database.url, {
        TENANT_RATE_LIMIT_BYTES_PER_MINUTE: String(BYTES),
        STREAM_PACE_MAX_SECONDS: '1',
      });
      try {
        const answer = await postStream<ProblemAnswer>(impatient.url, 'impatient', linesOfSize(40, 1_000, 'impatient'));
        const problem = expectProblem(answer, 429, 'tenant-rate-limited');
        expect(problem.detail).toContain(`at most ${BYTES} bytes per minute`);
        expect(problem).toMatchObject({
          lastCommittedRecord: 18,
          summary: { accepted: 18, records: 18, bytes: 18_000 },
        });
        expect(await eventsOf('impatient')).toBe(18);
        expect((await postEvent(impatient.url, 'impatient', ofSize(2_000, 'single'))).status).toBe(202);
      } finally {
        await impatient.close();
      }
    });

    it('do not take a stream for stalled that waits', async () => {
      const hurried = await startTestApp(database.url, {
        TENANT_RATE_LIMIT_BYTES_PER_MINUTE: String(BYTES),
        REQUEST_STALL_TIMEOUT_MS: '1000',
      });
      try {
        speedUp(20);
        const answer = await postStream(hurried.url, 'no-stall', linesOfSize(30, 1_000, 'no-stall'));
        expect([answer.status, answer.body.summary]).toMatchObject([202, { accepted: 30 }]);
      } finally {
        await hurried.close();
      }
    });

    it('are off at 0, also beside a limit in events of one tenant', async () => {
      const off = await startTestApp(database.url, { TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '0' });
      try {
        await givenTenant(database.pool, 'few', { eventsPerMinute: 2 });
        await eventually(async () => {
          const { headers } = await postEvent(off.url, 'few', ofSize(BYTES * 2, 'one'));
          expect(headers['ratelimit-limit']).toBe('2');
        });
        expect((await postEvent(off.url, 'few', ofSize(BYTES * 2, 'two'))).status).toBe(202);
        const { detail } = expectProblem(await postEvent(off.url, 'few', newEvent()), 429, 'tenant-rate-limited');
        expect(detail).toBe('A tenant may send at most 2 events per minute.');
        expect((await postStream(off.url, 'many', linesOfSize(100, 1_000, 'many'))).status).toBe(202);
      } finally {
        await off.close();
      }
    });
  });
});
