import { seriesOf, sumOf } from '../../../src/admin/metrics/metric-series';
import { checkedSlices, dueSlices, notAhead, untilNextSlice } from '../../../src/metric-rollup/decide-slices';
import { bucketOf, latencyQuantile, msOfBucket } from '../../../src/metric-rollup/latency-buckets';
import type { RollupProgress } from '../../../src/metric-rollup/rollup.queries';
import { inSteps, LATE_SECONDS } from '../../../src/metric-rollup/steps';

describe('the slices that are made', () => {
  it.each([
    ['none before a slice is over', { rolledTo: 100, now: 109 }, 6, { from: 100, to: 100 }],
    ['none until two seconds later', { rolledTo: 100, now: 111.9 }, 6, { from: 100, to: 100 }],
    ['one', { rolledTo: 100, now: 112 }, 6, { from: 100, to: 110 }],
    ['after a pause as many as may be', { rolledTo: 100, now: 1_000 }, 6, { from: 100, to: 160 }],
    ['none while the clock is behind', { rolledTo: 100, now: 90 }, 6, { from: 100, to: 100 }],
  ])('%s', (_what, progress, most, slices) => {
    expect(dueSlices(progress, most)).toEqual(slices);
  });

  it('go on from now after the clock was in the future', () => {
    expect(notAhead({ rolledTo: 90_000, now: 105 }).rolledTo).toBe(100);
    expect(notAhead({ rolledTo: 100, now: 105 }).rolledTo).toBe(100);
  });

  const progress = (rolledTo: number): RollupProgress => ({ rolledTo, now: 0 });

  it('are checked for late rows at a few ages, however many are made at once', () => {
    const slice = 9_000;
    for (const made of [1, 2, 6, 60]) {
      const checkedAt: number[] = [];
      for (let rolledTo = slice + 10; rolledTo < slice + 3_000; rolledTo += 10 * made) {
        const after = progress(rolledTo + 10 * made);
        const lists = checkedSlices(progress(rolledTo), after, { isAfterFailure: false, atOnce: 6 });
        expect(Math.max(...lists.map(({ length }) => length))).toBeLessThanOrEqual(6);
        const each = lists.flat();
        expect(new Set(each).size).toBe(each.length);
        expect(each.length).toBeLessThanOrEqual(3 * made);
        if (each.includes(slice)) checkedAt.push(after.rolledTo);
      }
      expect(checkedAt.length).toBeGreaterThan(0);
      expect(Math.max(...checkedAt)).toBeGreaterThanOrEqual(slice + 10 + LATE_SECONDS);
      if (made === 1) expect(checkedAt.map((at) => (at - slice) / 10 - 1)).toEqual([1, 8, 92]);
    }
  });

  it('are checked for late rows only while they are young, after a run that failed', () => {
    const young = checkedSlices(progress(1_200), progress(1_210), { isAfterFailure: true, atOnce: 6 });
    expect(young).toEqual([[1_190]]);
  });

  it('are waited for', () => {
    expect(untilNextSlice({ rolledTo: 100, now: 105 })).toBe(7_000);
    expect(untilNextSlice({ rolledTo: 100, now: 500 })).toBe(100);
    expect(untilNextSlice({ rolledTo: 500, now: 100 })).toBe(10_000);
  });
});

describe('the steps of a range', () => {
  const HOUR_MS = 3_600_000;
  const nowMs = Date.parse('2026-11-24T12:00:00Z');
  const range = (hours: number) => ({ fromMs: nowMs - hours * HOUR_MS, toMs: nowMs });

  it.each([
    [1, undefined, 10],
    [2, undefined, 60],
    [24, undefined, 300],
    [24 * 7, undefined, 3_600],
    [24 * 90, undefined, 21_600],
    [1, 60, 60],
    [1, 15, 20],
    [24, 10, { needed: 120 }],
    [24, 90, 120],
    [24 * 3, 60, 3_600],
  ])('of the last %d hours, with %p asked for, are %p long', (hours, asked, expected) => {
    const steps = inSteps(range(hours), asked, nowMs);
    expect('stepSeconds' in steps ? steps.stepSeconds : steps).toEqual(expected);
  });

  it('are whole', () => {
    const odd = { fromMs: nowMs - 605_000, toMs: nowMs - 1 };
    expect(inSteps(odd, 60, nowMs)).toEqual({ fromMs: nowMs - 660_000, toMs: nowMs, stepSeconds: 60 });
  });
});

describe('latencies', () => {
  it('are known within a tenth', () => {
    for (let ms = 1; ms < 5e8; ms = Math.ceil(ms * 1.07)) {
      const bucket = Math.ceil(Math.log(ms) / Math.log(1.2));
      expect(Math.abs(msOfBucket(bucket) - ms)).toBeLessThanOrEqual(Math.max(0.1 * ms, 1));
    }
    expect(bucketOf('x')).toContain('ln(1.2::float8)');
  });

  it('have quantiles', () => {
    const counts = new Map([
      [30, 1],
      [10, 95],
      [20, 4],
    ]);
    expect([0.5, 0.95, 0.96, 0.99, 1].map((q) => latencyQuantile(counts, q))).toEqual(
      [10, 10, 20, 20, 30].map(msOfBucket),
    );
    expect(latencyQuantile(new Map(), 0.5)).toBeNull();
  });
});

describe('series', () => {
  it('have a point for each step that has begun, the largest key first', () => {
    const rows = [
      { at: 0, key: 'a', bucket: 0, count: 1 },
      { at: 20, key: 'b', bucket: 0, count: 4 },
      { at: 20, key: null, bucket: 0, count: 2 },
      { at: 10, key: '', bucket: 0, count: 2 },
    ];
    const range = { fromMs: 0, toMs: 60_000, stepSeconds: 10 };
    const { series, other } = seriesOf(rows, range, 25_000, sumOf);
    expect(series.map(({ key, total }) => [key, total])).toEqual([
      ['b', 4],
      [null, 2],
      ['a', 1],
    ]);
    expect(other).toEqual({
      total: 2,
      points: [
        ['1970-01-01T00:00:00.000Z', 0],
        ['1970-01-01T00:00:10.000Z', 0],
        ['1970-01-01T00:00:20.000Z', 2],
      ],
    });
  });
});
