import { quantileMs } from '../../../src/admin/destinations/health/quantile';
import { LATENCY_BOUNDS_MS } from '../../../src/delivery-state/latency-bounds';

const histogram = (counts: Record<number, number>): number[] =>
  Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, (_, i) => counts[i] ?? 0);

describe('quantileMs', () => {
  it.each([
    ['nothing', {}, 0.5, null],
    ['one bucket, half of it', { 3: 10 }, 0.5, 38],
    ['the whole of one bucket', { 3: 10 }, 1, 50],
    ['two buckets', { 0: 50, 2: 50 }, 0.5, 5],
    ['the second of two buckets', { 0: 50, 2: 50 }, 0.75, 18],
    ['durations above the last bound', { 12: 3 }, 0.95, 30_000],
  ])('of %s', (_what, counts, fraction, expected) => {
    expect(quantileMs(histogram(counts), fraction)).toBe(expected);
  });

  it('of no histogram at all is null', () => {
    expect(quantileMs([], 0.5)).toBeNull();
  });
});
