import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { AccessDirectory } from '../../../src/access/identity/access-directory';
import type { TenantRow } from '../../../src/access/identity/directory.queries';
import { allowanceHeaders } from '../../../src/access/limits/allowance';
import { Meter, type Taker } from '../../../src/access/limits/meter';
import { TenantLimiter } from '../../../src/access/limits/tenant-limiter';
import { LocalCounter } from '../../../src/redis/local-counter';
import type { WindowCounter } from '../../../src/redis/window-counter';
import { testSettings } from '../../support/app';

const MAX_TENANTS = 10_000;

const meterOf = (limit: number, shared: WindowCounter): Meter => new Meter('events', () => limit, shared);

/** Delays each call at random, so that calls complete out of order, as over a network. */
function slowly(shared: LocalCounter, random: () => number): LocalCounter {
  const take = shared.take.bind(shared);
  jest.spyOn(shared, 'take').mockImplementation(async (key, wanted, upTo) => {
    await sleep(random() * 3);
    const taken = await take(key, wanted, upTo);
    await sleep(random() * 3);
    return taken;
  });
  return shared;
}

/** Returns a generator of numbers from 0 to 1 that are the same in every run. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const usedOf = async (shared: WindowCounter, tenant: string): Promise<number> => (await shared.take(tenant, 0, 0)).used;

/** Reserves points and returns how many there are. */
const take = async (meter: Meter, tenant: string, wanted: number, taker: Taker = 'single'): Promise<number> =>
  (await meter.reserve(tenant, taker, wanted)).points;

let passedMs = 0;
beforeEach(() => {
  passedMs = 0;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
});
afterEach(() => jest.restoreAllMocks());

describe('Meter', () => {
  it.each([1, 7, 999])('grants a limit of %i exactly, and takes no more than requested', async (limit) => {
    const shared = new LocalCounter();
    const processes = [meterOf(limit, shared), meterOf(limit, shared)];
    for (let taken = 1; taken <= limit; taken++) {
      expect(await take(processes[taken % 2] as Meter, 'acme', 1)).toBe(1);
      expect(await usedOf(shared, 'acme')).toBe(taken);
    }
    for (const meter of processes) expect(await take(meter, 'acme', 1)).toBe(0);
  });

  it('takes a thousandth of a larger limit at a time, and grants it without another call', async () => {
    const shared = new LocalCounter();
    const calls = jest.spyOn(shared, 'take');
    const meter = meterOf(10_000, shared);
    for (let i = 0; i < 10; i++) expect(await take(meter, 'acme', 1)).toBe(1);
    expect(calls.mock.calls).toEqual([['acme', 10, 10_000]]);
    expect(await take(meter, 'acme', 1)).toBe(1);
    expect(calls).toHaveBeenCalledTimes(2);
    expect(meter.allowance('acme')).toMatchObject({ limit: 10_000, remaining: 9_989 });
  });

  it('takes all missing points in one call when they exceed a share', async () => {
    const shared = new LocalCounter();
    const calls = jest.spyOn(shared, 'take');
    const meter = meterOf(10_000, shared);
    await take(meter, 'acme', 1);
    expect(await take(meter, 'acme', 500)).toBe(500);
    expect(calls.mock.calls.map(([, wanted]) => wanted)).toEqual([10, 491]);
  });

  it('grants the points left below the limit, and then asks again once a second', async () => {
    const shared = new LocalCounter();
    const calls = jest.spyOn(shared, 'take');
    const [one, other] = [meterOf(10, shared), meterOf(10, shared)];
    expect(await take(one, 'acme', 7)).toBe(7);
    expect(await take(other, 'acme', 5)).toBe(3);
    for (let i = 0; i < 5; i++) expect(await take(other, 'acme', 1)).toBe(0);
    expect(calls).toHaveBeenCalledTimes(3);
    passedMs += 1_001;
    for (let i = 0; i < 5; i++) expect(await take(other, 'acme', 1)).toBe(0);
    expect(calls).toHaveBeenCalledTimes(4);
    expect(await take(one, 'acme', 1)).toBe(0); // it had not seen the other's points yet
    expect(one.allowance('acme')).toMatchObject({ limit: 10, remaining: 0 });
  });

  it('grants a larger limit to its last event, including an incomplete last share', async () => {
    const meter = meterOf(2_005, new LocalCounter()); // shares of 2
    for (let i = 0; i < 2_005; i++) expect(await take(meter, 'acme', 1)).toBe(1);
    expect(await take(meter, 'acme', 1)).toBe(0);
  });

  it.each([
    ['single events', [1, 1]],
    ['a stream and a single event', [100, 1]],
    ['two streams', [100, 100]],
  ])('refuses nothing below the limit when %s arrive at the same time', async (_which, wanted) => {
    const meter = meterOf(5_000, slowly(new LocalCounter(), numbersFrom(3))); // shares of 5
    await take(meter, 'acme', 4); // one point is left in this process
    const granted = await Promise.all(wanted.map((events) => take(meter, 'acme', events)));
    expect(granted).toEqual(wanted);
  });

  it.each([5, 60, 999, 1_000, 2_500, 40_000])(
    'has at most a limit of %i in use, whatever concurrent callers reserve and give back',
    async (limit) => {
      for (let seed = 1; seed <= 8; seed++) {
        const random = numbersFrom(seed * 7_919);
        const shared = slowly(new LocalCounter(), random);
        const processes = [meterOf(limit, shared), meterOf(limit, shared)];
        const largest = Math.max(2, Math.ceil(limit / 20));
        let inUse = 0;
        const client = async (): Promise<void> => {
          for (let asked = 0; asked < limit / 4;) {
            const meter = processes[Math.floor(random() * 2)] as Meter;
            const wanted = 1 + Math.floor(random() * largest);
            const reservation = await meter.reserve('acme', random() < 0.5 ? 'single' : 'stream', wanted);
            expect(reservation.points).toBeLessThanOrEqual(wanted);
            inUse += reservation.points;
            expect(inUse).toBeLessThanOrEqual(limit);
            if (random() < 0.3) await sleep(1);
            const unused = Math.floor(random() * (reservation.points + 1));
            inUse -= unused;
            meter.giveBack(reservation, unused);
            asked += wanted;
          }
        };
        await Promise.all(Array.from({ length: 16 }, client));
        passedMs += 1_001;
        const rest = await Promise.all(processes.map((meter) => take(meter, 'acme', limit)));
        const total = inUse + rest.reduce((sum, points) => sum + points, 0);
        expect(total).toBeLessThanOrEqual(limit);
        // Each process may keep a share for either kind of caller.
        expect(total).toBeGreaterThanOrEqual(limit - 4 * Math.floor(limit / 1_000));
      }
    },
  );

  it.each([10, 20_000])('charges nothing of a limit of %i for what is given back', async (limit) => {
    const shared = new LocalCounter();
    const [one, other] = [meterOf(limit, shared), meterOf(limit, shared)];
    for (let i = 0; i < limit * 3; i += Math.ceil(limit / 20)) {
      const reservation = await one.reserve('acme', 'stream', Math.ceil(limit / 20));
      expect(reservation.points).toBe(Math.ceil(limit / 20));
      one.giveBack(reservation, reservation.points);
      expect(one.allowance('acme')?.remaining).toBe(limit);
    }
    expect(await usedOf(shared, 'acme')).toBeLessThanOrEqual(limit / 1_000);
    expect(await take(other, 'acme', limit)).toBeGreaterThanOrEqual(limit - limit / 1_000);
  });

  it('drops what is given back after its window', async () => {
    const shared = new LocalCounter();
    const meter = meterOf(10, shared);
    const before = await meter.reserve('acme', 'single', 10);
    passedMs += 60_001;
    expect(await take(meter, 'acme', 8)).toBe(8);
    meter.giveBack(before, 10);
    expect(await take(meter, 'acme', 10)).toBe(2);
    expect(await usedOf(shared, 'acme')).toBe(10);
  });

  it('reserves up to a lower bound for some, and leaves the rest to the others', async () => {
    const meter = meterOf(10, new LocalCounter());
    expect((await meter.reserve('acme', 'stream', 10, 9)).points).toBe(9);
    expect((await meter.reserve('acme', 'stream', 10, 9)).points).toBe(0);
    expect(await take(meter, 'acme', 10)).toBe(1);
  });

  it('counts each tenant separately', async () => {
    const meter = meterOf(3, new LocalCounter());
    expect(await take(meter, 'acme', 9)).toBe(3);
    expect(await take(meter, 'globex', 2)).toBe(2);
    expect(meter.allowance('globex')).toMatchObject({ remaining: 1 });
  });

  it('grants everything, makes no calls and announces nothing with a limit of 0', async () => {
    const shared = new LocalCounter();
    const calls = jest.spyOn(shared, 'take');
    const meter = meterOf(0, shared);
    const reservation = await meter.reserve('acme', 'stream', 1_000_000);
    expect(reservation.points).toBe(1_000_000);
    meter.giveBack(reservation, 1_000_000);
    expect(calls).not.toHaveBeenCalled();
    expect(meter.allowance('acme')).toBeUndefined();
    expect(allowanceHeaders(meter.allowance('acme'))).toEqual({});
  });

  it.each([10, 2_000])('starts again with the next window of a limit of %i', async (limit) => {
    const meter = meterOf(limit, new LocalCounter());
    expect(await take(meter, 'acme', limit)).toBe(limit);
    passedMs += 59_500;
    expect(await take(meter, 'acme', 1)).toBe(0);
    expect(meter.allowance('acme')?.resetSeconds).toBe(1);
    passedMs += 501;
    expect(await take(meter, 'acme', 1)).toBe(1);
    expect(meter.allowance('acme')?.remaining).toBe(limit - 1);
    expect(await take(meter, 'acme', limit)).toBe(limit - 1);
  });

  it('does not carry unused points of one window into the next', async () => {
    const meter = meterOf(20_000, new LocalCounter()); // shares of 20
    await take(meter, 'acme', 1);
    expect(meter.allowance('acme')?.remaining).toBe(19_999);
    passedMs += 60_001;
    expect(meter.allowance('acme')?.remaining).toBe(20_000);
    expect(await take(meter, 'acme', 30_000)).toBe(20_000);
  });

  it('keeps a bounded number of tenants, and limits a dropped one by the shared count', async () => {
    const meter = meterOf(2, new LocalCounter());
    const first = await meter.reserve('first', 'single', 2);
    for (let i = 0; i < MAX_TENANTS + 50; i++) await take(meter, `tenant-${i}`, 1);
    const { allotments } = meter as unknown as { allotments: Map<string, unknown> };
    expect(allotments.size).toBe(MAX_TENANTS);
    expect(allotments.has('first')).toBe(false);
    expect(await take(meter, 'first', 1)).toBe(0);
    expect(await take(meter, `tenant-${MAX_TENANTS + 49}`, 5)).toBe(1);
    meter.giveBack(first, 1);
    expect(await take(meter, `tenant-${MAX_TENANTS + 48}`, 5)).toBe(1);
    passedMs += 1_001;
    expect(await take(meter, 'first', 2)).toBe(1);
  });
});

describe('a Meter whose limit changes', () => {
  let limit: number;
  let shared: LocalCounter;
  let meter: Meter;
  let other: Meter;
  beforeEach(() => {
    shared = new LocalCounter();
    [meter, other] = [0, 1].map(() => new Meter('events', () => limit, shared)) as [Meter, Meter];
  });

  it('grants more at once when it is raised, although the count was used up a moment ago', async () => {
    limit = 10;
    expect(await take(meter, 'acme', 20)).toBe(10);
    expect(await take(meter, 'acme', 1)).toBe(0);
    limit = 15;
    expect(meter.allowance('acme')).toMatchObject({ limit: 15, remaining: 5 });
    expect(await take(meter, 'acme', 20)).toBe(5);
  });

  it('remembers what was used when it is lowered, and grants nothing that it had in reserve', async () => {
    limit = 100_000; // shares of 100
    expect(await take(meter, 'acme', 30)).toBe(30);
    limit = 20;
    expect(meter.allowance('acme')).toMatchObject({ limit: 20, remaining: 0 });
    expect(await take(meter, 'acme', 1)).toBe(0);
    limit = 40;
    expect(await take(other, 'acme', 20)).toBe(10);
    expect(await usedOf(shared, 'acme')).toBe(40);
  });

  it('remembers what was used while there is no limit for a time', async () => {
    limit = 10;
    expect(await take(meter, 'acme', 6)).toBe(6);
    limit = 0;
    expect(await take(meter, 'acme', 1_000)).toBe(1_000);
    expect(meter.allowance('acme')).toBeUndefined();
    limit = 10;
    expect(await take(meter, 'acme', 10)).toBe(4);
  });

  it('gives back correctly what was reserved under another limit', async () => {
    limit = 100_000;
    const [first, second] = [await meter.reserve('acme', 'single', 50), await meter.reserve('acme', 'stream', 500)];
    limit = 60;
    meter.giveBack(first, 50);
    meter.giveBack(second, 450);
    expect(await take(meter, 'acme', 60)).toBe(10); // beside the 50 of the stream
    expect(await usedOf(shared, 'acme')).toBe(60);
  });

  it('never has more in use than the limit, unless that much was in use before', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = numbersFrom(seed * 7_919);
      shared = slowly(new LocalCounter(), random);
      const meters = [0, 1].map(() => new Meter('events', () => limit, shared));
      limit = 500;
      let [inUse, mayBe] = [0, 500];
      const change = async (): Promise<void> => {
        for (let i = 0; i < 12; i++) {
          limit = 1 + Math.floor(random() * (random() < 0.5 ? 100 : 20_000));
          // A call that was under way when the limit changed may still be granted up to the old one.
          mayBe = Math.max(mayBe, limit);
          await sleep(4);
        }
        limit = 25;
      };
      const client = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) {
          const wanted = 1 + Math.floor(random() * 60);
          const meter = meters[i % 2] as Meter;
          const reservation = await meter.reserve('acme', random() < 0.5 ? 'single' : 'stream', wanted);
          inUse += reservation.points;
          expect(inUse).toBeLessThanOrEqual(mayBe);
          const unused = Math.floor(random() * (reservation.points + 1));
          inUse -= unused;
          meter.giveBack(reservation, unused);
        }
      };
      await Promise.all([change(), ...Array.from({ length: 8 }, client)]);
      passedMs += 1_001;
      for (const meter of meters) inUse += await take(meter, 'acme', 10_000);
      expect(await usedOf(shared, 'acme')).toBe(inUse); // nothing is lost and nothing is kept
    }
  });
});

describe('a whole body', () => {
  it.each([100, 0])('is reserved whole, or not at all, with a limit of %i', async (limit) => {
    const shared = new LocalCounter();
    const meter = new Meter('bytes', () => limit, shared);
    const points = async (wanted: number): Promise<number> => (await meter.reserveWhole('acme', wanted)).points;
    expect(await points(60)).toBe(60);
    expect(await points(50)).toBe(limit === 0 ? 50 : 0);
    expect(await points(40)).toBe(40);
    expect(await usedOf(shared, 'acme')).toBe(limit);
  });

  it('that does not fit asks the shared count once a second, and again when something was given back', async () => {
    const shared = new LocalCounter();
    const meter = new Meter('bytes', () => 100, shared);
    const first = await meter.reserveWhole('acme', 60);
    const calls = jest.spyOn(shared, 'take');
    for (let i = 0; i < 9; i++) expect((await meter.reserveWhole('acme', 50)).points).toBe(0);
    expect(calls).toHaveBeenCalledTimes(1);
    passedMs += 1_001;
    for (let i = 0; i < 9; i++) expect((await meter.reserveWhole('acme', 50)).points).toBe(0);
    expect(calls).toHaveBeenCalledTimes(2);
    expect((await meter.reserveWhole('acme', 40)).points).toBe(40);
    meter.giveBack(first, 60);
    expect((await meter.reserveWhole('acme', 50)).points).toBe(50);
  });

  it('that is larger than the limit needs a window of which nothing is used, and uses all of it', async () => {
    const shared = new LocalCounter();
    const meter = new Meter('bytes', () => 100, shared);
    expect((await meter.reserveWhole('acme', 1)).points).toBe(1);
    expect((await meter.reserveWhole('acme', 5_000)).points).toBe(0);
    passedMs += 60_001;
    expect((await meter.reserveWhole('acme', 5_000)).points).toBe(100);
    expect((await meter.reserveWhole('acme', 1)).points).toBe(0);
  });
});

describe('TenantLimiter', () => {
  const rows = new Map<string, Pick<TenantRow, 'eventsPerMinute' | 'bytesPerMinute'>>();
  const limiterOf = (env: Record<string, string>): TenantLimiter => {
    const directory = new AccessDirectory(new Pool());
    jest.spyOn(directory, 'tenant').mockImplementation((id) => rows.get(id) as TenantRow | undefined);
    return new TenantLimiter(testSettings(env), new LocalCounter(), new LocalCounter(), directory);
  };
  const withEvents = (limit: number): TenantLimiter => limiterOf({ TENANT_RATE_LIMIT_PER_MINUTE: String(limit) });
  beforeEach(() => rows.clear());

  it('announces limit, remaining events and seconds, and says when to retry', async () => {
    const limiter = withEvents(5);
    for (let i = 0; i < 2; i++) await limiter.reserveSingle('acme', 10);
    const headers = allowanceHeaders(limiter.allowance('acme'));
    expect(headers).toEqual({ 'RateLimit-Limit': '5', 'RateLimit-Remaining': '3', 'RateLimit-Reset': '60' });
    const problem = limiter.problem('acme', 'events');
    expect(problem.toBody('c')).toMatchObject({ status: 429, code: 'tenant-rate-limited', retryable: true });
    expect(problem.detail).toBe('A tenant may send at most 5 events per minute.');
    expect(problem.extras.retryAfterSeconds).toBe(60);
  });

  it.each([
    [1, 1],
    [2, 1],
    [10, 9],
    [11, 9],
    [600, 540],
    [600_000, 540_000],
  ])('leaves a tenth of a limit of %i to single events, so streams use at most %i', async (limit, streams) => {
    const limiter = withEvents(limit);
    const { events } = limiter;
    expect(events.streamLimit('acme')).toBe(streams);
    const { points } = await events.reserve('acme', 'stream', limit * 2, events.streamLimit('acme'));
    expect(points).toBe(streams);
    expect((await limiter.reserveSingle('acme', 10)).points).toBe(limit > 1 ? 1 : 0);
  });

  it("prefers a tenant's own limits to those of the settings, 0 included", async () => {
    const limiter = limiterOf({ TENANT_RATE_LIMIT_PER_MINUTE: '3', TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '100' });
    rows.set('own', { eventsPerMinute: 2, bytesPerMinute: 50 });
    rows.set('none', { eventsPerMinute: 0, bytesPerMinute: 0 });
    rows.set('default', { eventsPerMinute: null, bytesPerMinute: null });
    const limitsOf = (id: string): number[] => [limiter.events.limitOf(id), limiter.bytes.limitOf(id)];
    expect(['own', 'none', 'default', 'unregistered'].map(limitsOf)).toEqual([
      [2, 50],
      [0, 0],
      [3, 100],
      [3, 100],
    ]);
    expect((await limiter.reserveSingle('own', 50)).points).toBe(1);
    expect(await limiter.reserveSingle('own', 1)).toMatchObject({ points: 0, measure: 'bytes' });
    expect((await limiter.reserveSingle('none', 1_000)).points).toBe(1);
  });

  it('charges neither an event nor bytes when one of the two is used up', async () => {
    const limiter = limiterOf({ TENANT_RATE_LIMIT_PER_MINUTE: '3', TENANT_RATE_LIMIT_BYTES_PER_MINUTE: '100' });
    expect((await limiter.reserveSingle('acme', 60)).points).toBe(1);
    for (let i = 0; i < 9; i++) {
      expect(await limiter.reserveSingle('acme', 60)).toMatchObject({ points: 0, measure: 'bytes' });
    }
    for (let i = 0; i < 2; i++) expect((await limiter.reserveSingle('acme', 15)).points).toBe(1);
    expect(await limiter.reserveSingle('acme', 10)).toMatchObject({ points: 0, measure: 'events' });
    expect(limiter.bytes.allowance('acme')).toMatchObject({ remaining: 10 });
    expect(limiter.problem('acme', 'bytes').detail).toBe('A tenant may send at most 100 bytes per minute.');
  });

  it('counts no bytes where they are not limited', async () => {
    const limiter = withEvents(5);
    const reserve = jest.spyOn(limiter.bytes, 'reserve');
    expect((await limiter.reserveSingle('acme', 1_000_000)).points).toBe(1);
    expect(reserve).not.toHaveBeenCalled();
  });
});
