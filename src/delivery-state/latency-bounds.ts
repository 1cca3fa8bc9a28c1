/** Upper bounds of the buckets of destination_minutes.latency_ms, in ms. A last bucket counts longer durations. */
export const LATENCY_BOUNDS_MS: readonly number[] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];
