import { Histogram, Registry } from 'prom-client';
import { TallyHistogram } from '../../../src/observability/tally-histogram';

const BUCKETS = [0.005, 0.01, 0.5, 1, 60];
const LABELS = ['kind', 'result'] as const;
const VALUES = [0, 0.005, 0.0050001, 0.01, 0.4, 1, 59.9, 60, 61, 1e6];

const tallied = <T extends string>(labelNames: readonly T[]) => {
  const registry = new Registry();
  const description = { name: 'x_seconds', help: 'What it is', labelNames, buckets: BUCKETS, registry };
  return { registry, histogram: new TallyHistogram(description) };
};

describe('a tally histogram', () => {
  it('is written as one of prom-client that has seen the same values', async () => {
    const { registry, histogram } = tallied(LABELS);
    const theirs = new Registry();
    const other = new Histogram({
      name: 'x_seconds',
      help: 'What it is',
      labelNames: LABELS,
      buckets: BUCKETS,
      registers: [theirs],
    });
    for (const labels of [
      { kind: 'http', result: 'success' },
      { kind: 'handlers', result: 'retry' },
    ]) {
      for (const [i, value] of VALUES.entries()) {
        histogram.of(labels).observe(value, i + 1);
        for (let n = 0; n <= i; n++) other.observe(labels, value);
      }
    }
    const lines = async (of: Registry): Promise<string[]> => (await of.metrics()).split('\n').map(rounded).sort();
    await expect(lines(registry)).resolves.toEqual(await lines(theirs));
  });

  it('is there with zeros before the first value, for the labels that were asked for', async () => {
    const { registry, histogram } = tallied(LABELS);
    expect(await registry.metrics()).not.toContain('x_seconds_count');
    histogram.of({ kind: 'http', result: 'success' });
    expect(await registry.metrics()).toContain('x_seconds_count{kind="http",result="success"} 0');
    expect(await tallied<never>([]).registry.metrics()).toContain('x_seconds_bucket{le="+Inf"} 0');
  });

  it('counts many equal values at once', async () => {
    const { registry, histogram } = tallied<never>([]);
    histogram.of({}).observe(0.4, 100);
    const text = await registry.metrics();
    expect(text).toContain('x_seconds_bucket{le="0.01"} 0');
    expect(text).toContain('x_seconds_bucket{le="0.5"} 100');
    expect(text).toContain('x_seconds_count 100');
    expect(text).toContain('x_seconds_sum 40');
  });
});

/** The order of labels has no meaning, and sums may differ in their last digit by the order of the additions. */
const rounded = (line: string): string =>
  line
    .replace(/(?<=\{)[^}]*/, (labels) => labels.split(',').sort().join(','))
    .replace(/(?<=_sum.* )\S+$/, (value) => Number(value).toPrecision(9));
