import type { TallyHistogram } from '../../src/observability/tally-histogram';

/** The number of values that a histogram has counted, by the values of its labels in their order; without zeros. */
export async function talliesOf<T extends string>(histogram: TallyHistogram<T>): Promise<Record<string, number>> {
  const { values } = await histogram.get();
  return Object.fromEntries(
    values
      .filter(({ metricName, value }) => metricName.endsWith('_count') && value > 0)
      .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}

/** The sum of all values that a histogram has counted. */
export async function totalOf<T extends string>(histogram: TallyHistogram<T>): Promise<number> {
  const { values } = await histogram.get();
  return values.reduce((sum, { metricName, value }) => (metricName.endsWith('_sum') ? sum + value : sum), 0);
}
