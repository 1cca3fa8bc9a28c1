/** What GET /v1/admin/metrics measures, and by what. */
export const DIMENSIONS_OF = {
  accepted: ['tenant', 'source', 'type'],
  completed: ['tenant', 'source', 'type'],
  rejected: ['tenant', 'source', 'type', 'code'],
  delivered: ['tenant', 'destination', 'type'],
  failed: ['tenant', 'destination', 'type', 'code'],
  latency: ['tenant', 'source', 'destination', 'type'],
} as const satisfies Record<string, readonly string[]>;

export type MetricMeasure = keyof typeof DIMENSIONS_OF;
export type MetricDimension = 'tenant' | 'source' | 'destination' | 'type' | 'code';

export const MEASURES = Object.keys(DIMENSIONS_OF) as readonly MetricMeasure[];
export const DIMENSIONS: readonly MetricDimension[] = ['tenant', 'source', 'destination', 'type', 'code'];

/** What the roll-up stores. Latencies are the buckets of `completed`, and those of destinations the buckets of `delivered`. */
export type StoredMeasure = Exclude<MetricMeasure, 'latency'>;
export const STORED_MEASURES = MEASURES.filter((measure) => measure !== 'latency');

export const storedMeasureOf = (measure: MetricMeasure, dimension: MetricDimension): StoredMeasure => {
  if (measure !== 'latency') return measure;
  return dimension === 'destination' ? 'delivered' : 'completed';
};

/** True if counts of this measure and dimension are by bucket of latency. */
export const hasBuckets = (measure: StoredMeasure, dimension: MetricDimension): boolean =>
  measure === 'completed' || (measure === 'delivered' && dimension === 'destination');

export function dimensionsOf(measure: MetricMeasure): readonly MetricDimension[] {
  return DIMENSIONS_OF[measure];
}
