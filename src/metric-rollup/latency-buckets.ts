/** Each bucket ends at this factor times the end of the one before. The first ends at 1 ms. */
const GROWTH = 1.2;
/** Ends at 1.2^110 ms, which is about six days. Longer latencies count in it. */
const LAST_BUCKET = 110;

/** Returns SQL for the bucket of a latency in ms. */
export const bucketOf = (ms: string): string =>
  `least(${LAST_BUCKET}, ceil(ln(greatest(${ms}, 1)::float8) / ln(${GROWTH}::float8)))::smallint`;

/** The middle of a bucket in ms. It differs from each latency of the bucket by at most a tenth (the root of 1.2). */
export function msOfBucket(bucket: number): number {
  return bucket === 0 ? 1 : Math.round(GROWTH ** (bucket - 0.5));
}

/**
 * Returns a quantile in ms, within a tenth, or null if nothing was counted.
 * @param counts number of latencies by bucket
 */
export function latencyQuantile(counts: ReadonlyMap<number, number>, quantile: number): number | null {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let missing = Math.ceil(total * quantile);
  for (const [bucket, count] of [...counts].toSorted(([a], [b]) => a - b)) {
    missing -= count;
    if (missing <= 0 && total > 0) return msOfBucket(bucket);
  }
  return null;
}
