import { DeliveryPace } from '../../../src/deliveries/decide/delivery-pace';
import { SeededRandom } from '../../verify/load/random';

/** Whether a receiver takes a request at that time. */
type Limiter = (nowMs: number) => boolean;

function tokenBucket(perSecond: number, burst: number): Limiter {
  let tokens = burst;
  let lastMs = 0;
  return (nowMs) => {
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) / 1_000) * perSecond);
    lastMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

function fixedWindow(perSecond: number): Limiter {
  const taken = new Map<number, number>();
  return (nowMs) => {
    const second = Math.floor(nowMs / 1_000);
    const before = taken.get(second) ?? 0;
    if (before >= perSecond) return false;
    taken.set(second, before + 1);
    return true;
  };
}

function slidingWindow(perSecond: number): Limiter {
  let taken: number[] = [];
  return (nowMs) => {
    taken = taken.filter((atMs) => atMs > nowMs - 1_000);
    if (taken.length >= perSecond) return false;
    taken.push(nowMs);
    return true;
  };
}

const LATENCY_MS = 10;
const IN_FLIGHT = 8;

/** Sends `count` deliveries in simulated time; refused ones come again. */
function simulate(takes: Limiter, count: number, retryAfterSeconds: number, pace = new DeliveryPace()) {
  const running: { startedMs: number; taken: boolean }[] = [];
  let delivered = 0;
  let refused = 0;
  let nowMs = 1_000_000;
  const beganMs = nowMs;
  for (; delivered < count && nowMs < beganMs + 900_000; nowMs += 1) {
    while (running[0] && running[0].startedMs + LATENCY_MS <= nowMs) {
      const { startedMs, taken } = running.shift() as { startedMs: number; taken: boolean };
      if (taken) {
        delivered += 1;
        pace.succeeded(nowMs);
      } else {
        refused += 1;
        pace.slowDown(startedMs, nowMs, retryAfterSeconds);
      }
    }
    while (running.length < IN_FLIGHT && pace.take(nowMs)) running.push({ startedMs: nowMs, taken: takes(nowMs) });
  }
  return { perSecond: delivered / ((nowMs - beganMs) / 1_000), refused, delivered };
}

describe('the pace of a destination', () => {
  it.each([
    ['a token bucket of 5/s', tokenBucket(5, 5), 5, 1],
    ['a token bucket of 5/s with a large burst', tokenBucket(5, 50), 5, 1],
    ['5 in each second of the clock', fixedWindow(5), 5, 1],
    ['5 in any second', slidingWindow(5), 5, 1],
    ['5 in any second, without Retry-After', slidingWindow(5), 5, 0],
    ['100 in each second of the clock', fixedWindow(100), 100, 1],
    ['a token bucket of 200/s', tokenBucket(200, 20), 200, 1],
  ])('follows a receiver that takes %s, with few refusals', (_what, takes, perSecond, retryAfterSeconds) => {
    const count = perSecond * 60;
    const run = simulate(takes, count, retryAfterSeconds);
    expect(run.delivered).toBeGreaterThanOrEqual(count);
    expect(run.perSecond).toBeGreaterThan(0.8 * perSecond);
    expect(run.refused).toBeLessThan(0.25 * count);
  });

  it.each([
    ['a receiver that takes the rest', 100, () => () => true],
    ['a token bucket of 100/s', 100, () => tokenBucket(100, 5)],
    ['a token bucket of 20/s', 20, () => tokenBucket(20, 5)],
  ] as [string, number, () => Limiter][])(
    'is not brought down by 4 %% at random of %s',
    (_what, perSecond, limiter) => {
      const rates = Array.from({ length: 9 }, (_, seed) => {
        const random = new SeededRandom(seed);
        const takes = limiter();
        return simulate((nowMs) => !random.chance(0.04) && takes(nowMs), 60 * perSecond, 1).perSecond;
      });
      // Most of them. A refusal of one of the first requests delays a run for longer.
      expect(rates.sort((a, b) => a - b)[4]).toBeGreaterThan(0.8 * perSecond);
    },
  );

  it('leaves a receiver alone that refuses everything, for as long as it asks', () => {
    const { refused, delivered } = simulate(() => false, 1, 60);
    expect(delivered).toBe(0);
    expect(refused).toBeLessThan(30); // in a quarter of an hour
  });

  it('has no limit until the receiver asks for one, and none again a few minutes after it stopped asking', () => {
    const pace = new DeliveryPace();
    for (let i = 0; i < 10_000; i++) expect(pace.take(1)).toBe(true);
    for (let i = 0; i < 10; i++) pace.succeeded(1_000);
    pace.slowDown(1_001, 1_500, 1);
    expect(pace.perSecond(1_500)).toBeCloseTo(9);
    expect(pace.perSecond(2_500)).toBeCloseTo(18);
    for (let i = 0; i < 10; i++) pace.succeeded(2_500);
    pace.slowDown(2_501, 3_000, 1);
    pace.slowDown(3_001, 3_010, 1);
    pace.slowDown(3_011, 3_020, 1);
    expect(pace.perSecond(13_000)).toBeLessThan(15);
    expect(pace.perSecond(900_000)).toBe(Infinity);
  });

  it('counts all requests that were under way as one refusal', () => {
    const pace = new DeliveryPace();
    for (let i = 0; i < 10; i++) pace.succeeded(1_000);
    for (let i = 0; i < 50; i++) pace.slowDown(1_100, 1_200 + i, 1);
    expect(pace.perSecond(1_300)).toBeGreaterThan(8);
  });

  it('keeps the limit of the destination, apart from a burst of a tenth of a second', () => {
    const pace = new DeliveryPace();
    pace.most = 20;
    let taken = 0;
    for (let ms = 5_000; ms < 15_000; ms++) if (pace.take(ms)) taken += 1;
    expect(taken).toBeGreaterThanOrEqual(199);
    expect(taken).toBeLessThanOrEqual(203);
    expect(pace.within(1, 15_000)).toBeLessThanOrEqual(21);
    expect(pace.within(1, 15_000)).toBeGreaterThanOrEqual(19);
  });

  it('takes a turn back', () => {
    const pace = new DeliveryPace();
    pace.most = 1;
    expect(pace.take(5_000)).toBe(true);
    expect(pace.take(5_000)).toBe(false);
    pace.giveBack(5_000);
    expect(pace.take(5_000)).toBe(true);
  });
});
