import { latencyQuantile } from '../../metric-rollup/latency-buckets';
import type { SteppedRange } from '../../metric-rollup/steps';
import type { MetricRow } from './metrics.queries';

/** The start of a step, RFC 3339, and its value. */
export type MetricPoint = [string, number];

export interface ValuesOfKey {
  /** The sum, or the quantile of the whole range; null for the latency of nothing. */
  total: number | null;
  points: MetricPoint[];
}

export interface MetricSeries {
  /** By count, the largest first. A null key is of what has no key, such as events that came through no source. */
  series: (ValuesOfKey & { key: string | null })[];
  /** The keys that have no series of their own. */
  other: ValuesOfKey;
}

type Buckets = Map<number, number>;

/** Reduces buckets to the value shown: a sum or a quantile. */
type Value = (buckets: Buckets) => number | null;

export const sumOf: Value = (buckets) => [...buckets.values()].reduce((sum, count) => sum + count, 0);
export const quantileOf =
  (quantile: number): Value =>
  (buckets) =>
    latencyQuantile(buckets, quantile);

/** Makes series of rows. A step without rows has the value of no buckets, and no point if this is null. */
export function seriesOf(
  rows: readonly MetricRow[],
  range: SteppedRange,
  throughMs: number,
  value: Value,
): MetricSeries {
  const byKey = Map.groupBy(rows, ({ key }) => key);
  const keys = [...byKey.keys()].filter((key) => key !== null);
  const count = (key: string): number => sumOf(bucketsOf(byKey.get(key) ?? [])) ?? 0;
  const valuesOf = (key: string | null): ValuesOfKey => pointsOf(byKey.get(key) ?? [], range, throughMs, value);
  return {
    series: keys
      .map((key) => ({ key, count: count(key) }))
      .toSorted((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
      .map(({ key }) => ({ key: key === '' ? null : key, ...valuesOf(key) })),
    other: valuesOf(null),
  };
}

function pointsOf(
  rows: readonly MetricRow[],
  { fromMs, toMs, stepSeconds }: SteppedRange,
  throughMs: number,
  value: Value,
): ValuesOfKey {
  const byStep = Map.groupBy(rows, ({ at }) => at * 1_000);
  const points: MetricPoint[] = [];
  for (let atMs = fromMs; atMs < Math.min(toMs, throughMs); atMs += stepSeconds * 1_000) {
    const one = value(bucketsOf(byStep.get(atMs) ?? []));
    if (one !== null) points.push([new Date(atMs).toISOString(), one]);
  }
  return { total: value(bucketsOf(rows)), points };
}

function bucketsOf(rows: readonly MetricRow[]): Buckets {
  const buckets: Buckets = new Map();
  for (const { bucket, count } of rows) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
  return buckets;
}
