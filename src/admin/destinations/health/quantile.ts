import { LATENCY_BOUNDS_MS } from '../../../delivery-state/latency-bounds';

/**
 * Returns a quantile of a histogram in ms, or null for an empty one. Within a bucket it is interpolated. Durations above
 * the last bound count as that bound.
 */
export function quantileMs(counts: readonly number[], fraction: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let missing = fraction * total;
  for (const [i, count] of counts.entries()) {
    const upper = LATENCY_BOUNDS_MS[i];
    const lower = LATENCY_BOUNDS_MS[i - 1] ?? 0;
    if (upper === undefined) return lower;
    if (count >= missing) return Math.round(lower + (upper - lower) * (missing / count));
    missing -= count;
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null;
}
