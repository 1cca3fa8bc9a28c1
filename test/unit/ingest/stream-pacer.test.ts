import { Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { AccessDirectory } from '../../../src/access/identity/access-directory';
import type { TenantRow } from '../../../src/access/identity/directory.queries';
import { TenantLimiter } from '../../../src/access/limits/tenant-limiter';
import { Problem } from '../../../src/event/problems';
import type { PacedStream } from '../../../src/ingest/stream/paced-stream';
import { StreamPacer } from '../../../src/ingest/stream/stream-pacer';
import { Metrics } from '../../../src/observability/metrics';
import { BufferBudget } from '../../../src/runtime/buffer-budget';
import { LocalCounter } from '../../../src/redis/local-counter';
import { testSettings } from '../../support/app';

Logger.overrideLogger(false);

const LIMIT = 600;
const STREAMS = 540;

const mayGoOn = (): Promise<Problem | undefined> => Promise.resolve(undefined);
const owner = (tenantId = 'acme') => ({ tenantId, correlationId: 'c', refusal: mayGoOn });

/** With the default SHUTDOWN_GRACE_MS, after the drain. */
const FINISH_MS = 10_000;

describe('the pace of streams', () => {
  let pacer: StreamPacer;
  let buffers: BufferBudget;
  let limiter: TenantLimiter;
  let metrics: Metrics;
  let counter: LocalCounter;
  /** The limits of `acme`. */
  let own: Pick<TenantRow, 'eventsPerMinute' | 'bytesPerMinute'> | undefined;
  const start = (env: Record<string, string> = {}): void => {
    const settings = testSettings({ TENANT_RATE_LIMIT_PER_MINUTE: String(LIMIT), ...env });
    counter = new LocalCounter();
    own = undefined;
    const directory = new AccessDirectory(new Pool());
    jest.spyOn(directory, 'tenant').mockImplementation((id) => (id === 'acme' ? (own as TenantRow) : undefined));
    limiter = new TenantLimiter(settings, counter, new LocalCounter(), directory);
    metrics = new Metrics();
    buffers = new BufferBudget(settings.MAX_BUFFER_BYTES);
    pacer = new StreamPacer(settings, limiter, metrics, buffers);
  };
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    start();
  });
  afterEach(() => jest.useRealTimers());

  const passes = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  const metric = async (name: string): Promise<number> => {
    const [line = ''] =
      new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} .*$`, 'm').exec(await metrics.registry.metrics()) ?? [];
    return Number(line.split(' ')[1]);
  };

  /** Reserves until the stream has `events`. Returns a reader of the progress. */
  function send(stream: PacedStream, events: number) {
    const progress = { events: 0, grants: 0, atMs: 0, problem: undefined as unknown };
    const run = async (): Promise<void> => {
      while (progress.events < events) {
        progress.events += (await stream.reserve(Math.min(200, events - progress.events))).points;
        progress.grants += 1;
        progress.atMs = Date.now();
      }
    };
    run().catch((error: unknown) => (progress.problem = error));
    return progress;
  }

  /** Charges bytes as the source of the stream does, in chunks. */
  function read(stream: PacedStream, bytes: number) {
    const progress = { bytes: 0, problem: undefined as unknown };
    const run = async (): Promise<void> => {
      while (progress.bytes < bytes) {
        progress.bytes += await stream.chargeBytes(Math.min(65_536, bytes - progress.bytes));
      }
    };
    run().catch((error: unknown) => (progress.problem = error));
    return progress;
  }

  it('is not slowed below the limit', async () => {
    const stream = send(pacer.admit(owner()), STREAMS);
    await passes(0);
    expect(stream.events).toBe(STREAMS);
    expect(await metric('streamforge_stream_paced_seconds_total')).toBe(0);
  });

  it('is that of the limit beyond it: three times the limit takes three minutes and a part of the fourth', async () => {
    const startedMs = Date.now();
    const stream = send(pacer.admit(owner()), LIMIT * 3);
    await passes(59_000);
    expect(stream.events).toBe(STREAMS);
    await passes(1_000);
    for (let minute = 2; minute <= 3; minute++) {
      const { events, grants } = stream;
      await passes(30_000);
      expect(stream.events - events).toBeGreaterThan(STREAMS * 0.45); // evenly, not all at once
      expect(stream.events - events).toBeLessThan(STREAMS * 0.55);
      await passes(29_000);
      expect(stream.events).toBeLessThanOrEqual(minute * STREAMS);
      expect(stream.grants - grants).toBeGreaterThan(30);
      await passes(1_000);
    }
    await passes(25_000);
    expect(stream.events).toBe(LIMIT * 3);
    expect(stream.atMs - startedMs).toBeGreaterThan(180_000);
    expect(await metric('streamforge_stream_paced_seconds_total')).toBeGreaterThan(150);
    expect(await metric('streamforge_streams_waiting')).toBe(0);
  });

  it('leaves a tenth of the limit to single events at any time', async () => {
    const streams = Array.from({ length: 3 }, () => send(pacer.admit(owner()), LIMIT * 2));
    for (let minute = 0; minute < 3; minute++) {
      await passes(59_000);
      let singles = 0;
      while ((await limiter.reserveSingle('acme', 1)).points > 0) singles += 1;
      expect(singles).toBeGreaterThanOrEqual(LIMIT / 10);
      await passes(1_000);
    }
    expect(streams.reduce((sum, { events }) => sum + events, 0)).toBeLessThanOrEqual(3 * STREAMS + 10); // a second of the fourth minute
  });

  it("is shared by the streams of a tenant in turn, and is nobody else's", async () => {
    send(pacer.admit(owner()), STREAMS);
    await passes(0);
    const streams = Array.from({ length: 4 }, () => send(pacer.admit(owner()), STREAMS));
    const other = send(pacer.admit(owner('globex')), STREAMS);
    await passes(119_500);
    for (const { events } of streams) {
      expect(events).toBeGreaterThan(STREAMS / 4 - 15);
      expect(events).toBeLessThan(STREAMS / 4 + 15);
    }
    expect(other.events).toBe(STREAMS);
  });

  it('does not let a new stream overtake those that wait', async () => {
    send(pacer.admit(owner()), STREAMS);
    await passes(0);
    const waiting = send(pacer.admit(owner()), 100);
    await passes(30_000);
    const late = send(pacer.admit(owner()), STREAMS);
    await passes(30_000 + 11_500);
    expect(waiting.events).toBeGreaterThan(45);
    expect(Math.abs(waiting.events - late.events)).toBeLessThan(15);
  });

  it('is no longer even once the limit has not been needed for a while', async () => {
    const first = pacer.admit(owner());
    const sent = send(first, STREAMS + 1);
    await passes(61_000);
    expect(sent.events).toBe(STREAMS + 1);
    await passes(180_000);
    const later = send(pacer.admit(owner()), STREAMS);
    await passes(0);
    expect(later.events).toBe(STREAMS);
  });

  it('ends with tenant-rate-limited after STREAM_PACE_MAX_SECONDS of waiting in total', async () => {
    start({ STREAM_PACE_MAX_SECONDS: '90' });
    const stream = send(pacer.admit(owner()), LIMIT * 5);
    await passes(89_000);
    expect(stream.problem).toBeUndefined();
    const { events } = stream;
    expect(events).toBeGreaterThan(STREAMS);
    await passes(3_000);
    expect(stream.problem).toMatchObject({ code: 'tenant-rate-limited', status: 429 });
    expect((stream.problem as Problem).extras.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(await metric('streamforge_streams_waiting')).toBe(0);
  });

  it('is no wait at all with STREAM_PACE_MAX_SECONDS=0', async () => {
    start({ STREAM_PACE_MAX_SECONDS: '0' });
    const stream = send(pacer.admit(owner()), LIMIT);
    await passes(0);
    expect(stream).toMatchObject({ events: STREAMS, problem: { code: 'tenant-rate-limited' } });
  });

  it('ends at shutdown: streams that wait at once, others when they have to wait', async () => {
    const [waiting, other] = [pacer.admit(owner()), pacer.admit(owner('globex'))];
    const sent = send(waiting, LIMIT);
    await passes(5_000);
    pacer.beforeApplicationShutdown();
    const late = pacer.admit(owner('late'));
    const sentLater = [send(other, LIMIT), send(late, LIMIT)];
    await passes(0);
    for (const stream of [sent, ...sentLater]) {
      expect(stream).toMatchObject({ events: STREAMS, problem: { code: 'tenant-rate-limited' } });
      expect((stream.problem as Problem).detail).toContain('shutting down');
    }
    const brokenOff: (Problem | undefined)[] = [];
    other.whenBrokenOff((problem) => brokenOff.push(problem)); // its upload goes on
    await passes(FINISH_MS - 1);
    expect(brokenOff).toEqual([]);
    await passes(1);
    pacer.admit(owner('later')).whenBrokenOff((problem) => brokenOff.push(problem));
    expect(brokenOff).toMatchObject([{ code: 'overloaded' }, { code: 'overloaded' }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends when the client has gone, and returns what was reserved for it', async () => {
    const stream = pacer.admit(owner());
    const sent = send(stream, LIMIT);
    await passes(5_000);
    stream.stopWaiting(() => new Problem('malformed-body', 'The client has disconnected.'));
    await passes(0);
    expect(sent.problem).toMatchObject({ code: 'malformed-body' });
    await passes(60_000);
    expect(limiter.allowance('acme')?.remaining).toBe(LIMIT);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes one timer per tenant and keeps nothing of streams that have ended', async () => {
    start({ MAX_STREAMS_PER_TENANT: '1000', MAX_STREAMS: '1000', MAX_BUFFER_BYTES: '2147483648' });
    const streams = Array.from({ length: 500 }, (_, i) => pacer.admit(owner(i % 2 ? 'acme' : 'globex')));
    const sent = streams.map((stream) => send(stream, LIMIT));
    await passes(2_500);
    expect(jest.getTimerCount()).toBe(2);
    expect(await metric('streamforge_streams_waiting')).toBeGreaterThan(490);
    pacer.beforeApplicationShutdown();
    for (const stream of streams) {
      stream.close();
      stream.close();
    }
    await passes(FINISH_MS);
    expect(sent.filter(({ problem, events }) => problem === undefined && events < LIMIT)).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
    const { tenants, open } = pacer as unknown as { tenants: Map<string, unknown>; open: Set<unknown> };
    expect([tenants.size, open.size]).toEqual([0, 0]);
    expect(await metric('streamforge_streams_open')).toBe(0);
    expect(await metric('streamforge_streams_waiting')).toBe(0);
  });

  it('fails the streams that wait when the count fails, instead of leaving them', async () => {
    const sent = send(pacer.admit(owner()), LIMIT);
    await passes(0);
    jest.spyOn(counter, 'take').mockRejectedValue(new Error('it broke'));
    await passes(2_000);
    expect(sent.problem).toMatchObject({ message: 'it broke' });
    expect(await metric('streamforge_streams_waiting')).toBe(0);
  });

  it('admits MAX_STREAMS streams of all tenants at a time', async () => {
    start({ MAX_STREAMS: '2' });
    const [first] = [pacer.admit(owner('a')), pacer.admit(owner('b'))];
    expect(() => pacer.admit(owner('c'))).toThrow(
      expect.objectContaining({ code: 'overloaded', extras: { retryAfterSeconds: 5 } }) as Error,
    );
    expect(await metric('streamforge_bodies_refused_total{reason="streams"}')).toBe(1);
    first?.close();
    pacer.admit(owner('c'));
  });

  it('admits the streams for which there is memory, of one tenant half of it, and gives the memory back', () => {
    start({ MAX_EVENT_BYTES: '2097152', MAX_BUFFER_BYTES: '20971520' }); // 20 MiB, 4 MiB for a stream
    const open = [pacer.admit(owner('a')), pacer.admit(owner('a'))];
    expect(() => pacer.admit(owner('a'))).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error);
    open.push(pacer.admit(owner('b')));
    expect(() => pacer.admit(owner('c'))).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error);
    expect(buffers.heldBytes).toBe(3 * 4_194_304);
    for (const stream of open) stream.close();
    expect(buffers.heldBytes).toBe(0);
  });

  it('admits MAX_STREAMS_PER_TENANT streams of a tenant at a time', () => {
    start({ MAX_STREAMS_PER_TENANT: '3' });
    const streams = [1, 2, 3].map(() => pacer.admit(owner()));
    expect(() => pacer.admit(owner())).toThrow('too-many-streams');
    pacer.admit(owner('globex'));
    streams[0]?.close();
    streams[0]?.close();
    pacer.admit(owner());
    expect(() => pacer.admit(owner())).toThrow('too-many-streams');
  });

  it('follows a limit that changes while streams wait, within half a second', async () => {
    const waiting = send(pacer.admit(owner()), LIMIT * 10);
    await passes(5_000);
    expect(waiting.events).toBe(STREAMS);
    own = { eventsPerMinute: LIMIT * 20, bytesPerMinute: null };
    await passes(500);
    expect(waiting.events).toBeGreaterThan(STREAMS * 2);
    own = { eventsPerMinute: 10, bytesPerMinute: null };
    const { events } = waiting;
    await passes(54_000);
    expect(waiting.events).toBe(events);
    await passes(10_000);
    expect(waiting.events).toBeLessThanOrEqual(events + 9);
    own = { eventsPerMinute: 0, bytesPerMinute: null };
    await passes(500);
    expect(waiting.events).toBe(LIMIT * 10);
  });

  it('is that of the limit of bytes too, evenly, with the last tenth left to single events', async () => {
    start({ TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '1000000' });
    const stream = pacer.admit(owner());
    expect([stream.limitsBytes, pacer.admit(owner('globex')).limitsBytes]).toEqual([true, true]);
    const progress = read(stream, 2_500_000);
    await passes(59_500);
    expect(progress.bytes).toBe(900_000);
    await passes(30_500);
    expect(progress.bytes).toBeGreaterThan(900_000 * 1.45);
    expect(progress.bytes).toBeLessThan(900_000 * 1.55);
    expect((await limiter.reserveSingle('acme', 90_000)).points).toBe(1);
    await passes(29_500);
    expect(progress.bytes).toBeLessThanOrEqual(1_800_000);
    await passes(60_000);
    expect(progress).toEqual({ bytes: 2_500_000, problem: undefined });
  });

  it('is not that of bytes where these are not limited', () => {
    const stream = pacer.admit(owner());
    expect(stream.limitsBytes).toBe(false);
    own = { eventsPerMinute: null, bytesPerMinute: 5 };
    expect(stream.limitsBytes).toBe(true);
  });

  it('counts time in which a stream waits for both limits once, and names the limit that ended it', async () => {
    start({ TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '1000', STREAM_PACE_MAX_SECONDS: '20' });
    const stream = pacer.admit(owner());
    const [events, bytes] = [send(stream, LIMIT), read(stream, 5_000)];
    await passes(10_000);
    expect(stream.waitedMs).toBeGreaterThan(9_900);
    expect(stream.waitedMs).toBeLessThan(10_100);
    expect(await metric('streamforge_streams_waiting')).toBe(1);
    await passes(9_500);
    expect([events.problem, bytes.problem]).toEqual([undefined, undefined]);
    await passes(1_000);
    expect(events.problem).toMatchObject({ detail: expect.stringContaining(`${LIMIT} events per minute`) as string });
    expect(bytes.problem).toMatchObject({ detail: expect.stringContaining('1000 bytes per minute') as string });
    expect(await metric('streamforge_streams_waiting')).toBe(0);
  });

  it('leaves no wait behind when the stream is closed while its source waits', async () => {
    start({ TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '1000' });
    const stream = pacer.admit(owner());
    const progress = read(stream, 5_000);
    await passes(5_000);
    stream.close();
    await passes(1_000);
    expect(progress.problem).toMatchObject({ code: 'tenant-rate-limited' });
    expect(await metric('streamforge_streams_waiting')).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends when the sender may not go on: before the next events, and while it waits', async () => {
    start({ TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '1000' });
    const suspended = new Problem('tenant-suspended', 'for a test');
    const sender: { refused?: Problem } = {};
    const refusal = () => Promise.resolve(sender.refused);
    const stream = pacer.admit({ ...owner(), refusal });
    const other = pacer.admit(owner());
    const [waiting, reading, others] = [send(stream, LIMIT), read(stream, 5_000), send(other, LIMIT)];
    const idle = pacer.admit({ ...owner('globex'), refusal });
    await passes(2_000);
    sender.refused = suspended;
    await passes(300);
    expect([waiting.problem, reading.problem, others.problem]).toEqual([suspended, suspended, undefined]);
    await expect(idle.reserve(1)).rejects.toBe(suspended);
    expect(waiting.events + others.events).toBe(STREAMS);
  });
});
