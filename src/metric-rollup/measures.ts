/** What GET /v1/admin/metrics measures, and by what. */
export const DIMENSIONS_OF = {
  accepted: ['tenant', 'source', 'type'],
  completed: ['tenant', 'source', 'type'],
  rejected: ['tenant', 'source', 'type', 'code'],
  delivered: ['tenant', 'destination', 'type'],
  failed: ['tenant', 'destination', 'type', 'code'],
  latency: ['tenant', 'source', 'type'],
} as const satisfies Record<string, readonly string[]>;

export type MetricMeasure = keyof typeof DIMENSIONS_OF;
export type MetricDimension = 'tenant' | 'source' | 'destination' | 'type' | 'code';

export const MEASURES = Object.keys(DIMENSIONS_OF) as readonly MetricMeasure[];
export const DIMENSIONS: readonly MetricDimension[] = ['tenant', 'source', 'destination', 'type', 'code'];

/** What the roll-up stores. Latencies are the buckets of `completed`. */
export type StoredMeasure = Exclude<MetricMeasure, 'latency'>;
export const STORED_MEASURES = MEASURES.filter((measure) => measure !== 'latency');

export const storedMeasureOf = (measure: MetricMeasure): StoredMeasure =>
  measure === 'latency' ? 'completed' : measure;

export function dimensionsOf(measure: MetricMeasure): readonly MetricDimension[] {
  return DIMENSIONS_OF[measure];
}
