import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimiterMemory, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { allowanceHeaders } from '../../../src/access/allowance';
import { TenantLimiter } from '../../../src/access/tenant-limiter';
import { testSettings } from '../../support/app';
import { eventually } from '../../support/eventually';

const MAX_TENANTS = 10_000;

function sharedCount(points: number, duration = 60): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix: 'tenant', points, duration });
}

/** The limiter of one api process, on the count that all processes share. */
function limiterOn(shared: RateLimiterAbstract, limit: number): TenantLimiter {
  return new TenantLimiter(testSettings({ TENANT_RATE_LIMIT_PER_MINUTE: String(limit) }), shared);
}

/** Delays each call at random, so that calls complete out of order, as over a network. */
function slowly(shared: RateLimiterMemory, random: () => number): RateLimiterMemory {
  const consume = shared.consume.bind(shared);
  jest.spyOn(shared, 'consume').mockImplementation(async (key, points) => {
    await sleep(random() * 3);
    try {
      return await consume(key, points);
    } finally {
      await sleep(random() * 3);
    }
  });
  return shared;
}

/** Returns a generator of numbers from 0 to 1 that are the same in every run. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

async function takenOf(shared: RateLimiterMemory, tenant: string): Promise<number> {
  return (await shared.get(tenant))?.consumedPoints ?? 0;
}

describe('TenantLimiter', () => {
  it.each([1, 7, 999])('grants a limit of %i exactly, and takes no more than requested', async (limit) => {
    const shared = sharedCount(limit);
    const processes = [limiterOn(shared, limit), limiterOn(shared, limit)];
    for (let taken = 1; taken <= limit; taken++) {
      expect(await processes[taken % 2]?.takeUpTo('acme', 1)).toBe(1);
      expect(await takenOf(shared, 'acme')).toBe(taken);
    }
    for (const limiter of processes) expect(await limiter.takeUpTo('acme', 1)).toBe(0);
  });

  it('takes a thousandth of a larger limit at a time, and grants it without another call', async () => {
    const shared = sharedCount(10_000);
    const consume = jest.spyOn(shared, 'consume');
    const limiter = limiterOn(shared, 10_000);
    for (let i = 0; i < 10; i++) expect(await limiter.takeUpTo('acme', 1)).toBe(1);
    expect(consume.mock.calls).toEqual([['acme', 10]]);
    expect(await limiter.takeUpTo('acme', 1)).toBe(1);
    expect(consume).toHaveBeenCalledTimes(2);
    expect(limiter.allowance('acme')).toMatchObject({ limit: 10_000, remaining: 9_989 });
  });

  it('takes all missing points in one call when they exceed a share', async () => {
    const shared = sharedCount(10_000);
    const consume = jest.spyOn(shared, 'consume');
    const limiter = limiterOn(shared, 10_000);
    await limiter.takeUpTo('acme', 1);
    expect(await limiter.takeUpTo('acme', 500)).toBe(500);
    expect(consume.mock.calls).toEqual([
      ['acme', 10],
      ['acme', 491],
    ]);
  });

  it('grants the points left below the limit, and makes no more calls until the window ends', async () => {
    const shared = sharedCount(10);
    const consume = jest.spyOn(shared, 'consume');
    const [one, other] = [limiterOn(shared, 10), limiterOn(shared, 10)];
    expect(await one.takeUpTo('acme', 7)).toBe(7);
    expect(await other.takeUpTo('acme', 5)).toBe(3);
    for (let i = 0; i < 3; i++) expect(await other.takeUpTo('acme', 1)).toBe(0);
    expect(consume).toHaveBeenCalledTimes(2);
    expect(await one.takeUpTo('acme', 1)).toBe(0); // it had not seen the other's points yet
    expect(one.allowance('acme')).toMatchObject({ limit: 10, remaining: 0 });
  });

  it('grants a larger limit to its last event, including an incomplete last share', async () => {
    const shared = sharedCount(2_005);
    const limiter = limiterOn(shared, 2_005); // shares of 2
    for (let i = 0; i < 2_005; i++) expect(await limiter.takeUpTo('acme', 1)).toBe(1);
    expect(await limiter.takeUpTo('acme', 1)).toBe(0);
  });

  it.each([
    ['single events', [1, 1]],
    ['a stream and a single event', [100, 1]],
    ['two streams', [100, 100]],
  ])('refuses nothing below the limit when %s arrive at the same time', async (_which, wanted) => {
    const limiter = limiterOn(slowly(sharedCount(5_000), numbersFrom(3)), 5_000); // shares of 5
    await limiter.takeUpTo('acme', 4); // one point is left in this process
    const granted = await Promise.all(wanted.map((events) => limiter.takeUpTo('acme', events)));
    expect(granted).toEqual(wanted);
  });

  it.each([5, 60, 999, 1_000, 2_500, 40_000])(
    'grants at most a limit of %i in total, whatever concurrent callers request',
    async (limit) => {
      for (let seed = 1; seed <= 8; seed++) {
        const random = numbersFrom(seed * 7_919);
        const shared = slowly(sharedCount(limit), random);
        const processes = [limiterOn(shared, limit), limiterOn(shared, limit)];
        const largest = Math.max(2, Math.ceil(limit / 20));
        let granted = 0;
        const client = async (): Promise<void> => {
          for (let asked = 0; asked < limit / 8;) {
            const events = 1 + Math.floor(random() * largest);
            const got = await processes[Math.floor(random() * 2)]?.takeUpTo('acme', events);
            expect(got).toBeLessThanOrEqual(events);
            granted += got as number;
            asked += events;
          }
        };
        await Promise.all(Array.from({ length: 16 }, client));
        expect(granted).toBeLessThanOrEqual(limit);
        // Twice the limit was requested, so at most a share in each process may be unused.
        expect(granted).toBeGreaterThanOrEqual(limit - 2 * Math.floor(limit / 1_000));
      }
    },
  );

  it('counts each tenant separately', async () => {
    const limiter = limiterOn(sharedCount(3), 3);
    expect(await limiter.takeUpTo('acme', 9)).toBe(3);
    expect(await limiter.takeUpTo('globex', 2)).toBe(2);
    expect(limiter.allowance('globex')).toMatchObject({ remaining: 1 });
  });

  it('grants everything, makes no calls and announces nothing with a limit of 0', async () => {
    const shared = sharedCount(1);
    const consume = jest.spyOn(shared, 'consume');
    const limiter = limiterOn(shared, 0);
    expect(await limiter.takeUpTo('acme', 1_000_000)).toBe(1_000_000);
    expect(consume).not.toHaveBeenCalled();
    expect(limiter.allowance('acme')).toBeUndefined();
    expect(allowanceHeaders(limiter.allowance('acme'))).toEqual({});
  });

  it('announces limit, remaining events and seconds, and says when to retry', async () => {
    const limiter = limiterOn(sharedCount(5), 5);
    await limiter.takeUpTo('acme', 2);
    const headers = allowanceHeaders(limiter.allowance('acme'));
    expect(headers).toEqual({ 'RateLimit-Limit': '5', 'RateLimit-Remaining': '3', 'RateLimit-Reset': '60' });
    await limiter.takeUpTo('acme', 9);
    const problem = limiter.problem('acme');
    expect(problem.toBody('c')).toMatchObject({ status: 429, code: 'tenant-rate-limited', retryable: true });
    expect(problem.extras.retryAfterSeconds).toBe(60);
  });

  it.each([10, 2_000])('starts again with the next window of a limit of %i', async (limit) => {
    const limiter = limiterOn(sharedCount(limit, 1), limit);
    expect(await limiter.takeUpTo('acme', limit)).toBe(limit);
    expect(await limiter.takeUpTo('acme', 1)).toBe(0);
    expect(limiter.problem('acme').extras.retryAfterSeconds).toBe(1);
    await eventually(async () => expect(await limiter.takeUpTo('acme', 1)).toBe(1), 2_000);
    expect(limiter.allowance('acme')?.remaining).toBe(limit - 1);
    expect(await limiter.takeUpTo('acme', limit)).toBe(limit - 1);
  });

  it('does not carry unused points of one window into the next', async () => {
    const limiter = limiterOn(sharedCount(20_000, 1), 20_000); // shares of 20
    await limiter.takeUpTo('acme', 1);
    const firstReset = limiter.allowance('acme') as { remaining: number };
    expect(firstReset.remaining).toBe(19_999);
    await eventually(() => expect(limiter.allowance('acme')?.remaining).toBe(20_000), 2_000);
    expect(await limiter.takeUpTo('acme', 30_000)).toBe(20_000);
  });

  it('keeps a bounded number of tenants, and limits a dropped one by the shared count', async () => {
    const limiter = limiterOn(sharedCount(2), 2);
    expect(await limiter.takeUpTo('first', 2)).toBe(2);
    for (let i = 0; i < MAX_TENANTS + 50; i++) await limiter.takeUpTo(`tenant-${i}`, 1);
    const { allotments } = limiter as unknown as { allotments: Map<string, unknown> };
    expect(allotments.size).toBe(MAX_TENANTS);
    expect(allotments.has('first')).toBe(false);
    expect(await limiter.takeUpTo('first', 1)).toBe(0);
    expect(await limiter.takeUpTo(`tenant-${MAX_TENANTS + 49}`, 5)).toBe(1);
  });

  it('throws an error of the shared count that is not a refusal', async () => {
    const shared = sharedCount(5);
    jest.spyOn(shared, 'consume').mockRejectedValueOnce(new Error('it broke'));
    const limiter = limiterOn(shared, 5);
    await expect(limiter.takeUpTo('acme', 1)).rejects.toThrow('it broke');
    expect(await limiter.takeUpTo('acme', 5)).toBe(5);
  });
});
