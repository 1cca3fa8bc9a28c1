import type { Metric, Registry } from 'prom-client';

interface Description<T extends string> {
  name: string;
  help: string;
  labelNames: readonly T[];
  /** Upper bounds, ascending. A last bucket counts what is larger. */
  buckets: readonly number[];
  registry: Registry;
}

/**
 * Counts values in buckets. One call counts any number of equal values. A call takes less than 0.1 µs; `observe` of
 * prom-client, which looks up its labels and bucket by text, takes more than 1 µs.
 */
export class Tally {
  /** By bucket, without those below. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number, times = 1): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket += 1;
    (this.counts[bucket] as number) += times;
    this.sum += value * times;
    this.count += times;
  }
}

interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName: string;
}

/** A histogram for what happens to every event. Whoever observes a batch asks for the tally of its labels once. */
export class TallyHistogram<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  private readonly labelNames: readonly T[];
  private readonly buckets: readonly number[];
  /** By the values of the labels, of which the callers have a fixed number. */
  private readonly tallies = new Map<string, { labels: Record<string, string>; tally: Tally }>();

  constructor({ name, help, labelNames, buckets, registry }: Description<T>) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.buckets = buckets;
    // A registry uses of a metric what this class has. Its type names the four classes of prom-client.
    registry.registerMetric(this as unknown as Metric);
    if (labelNames.length === 0) this.of({} as Record<T, string>);
  }

  /** Returns the tally of these labels, which appears with a count of 0 from now on. */
  of(labels: Record<T, string>): Tally {
    const key = this.labelNames.map((name) => labels[name]).join('\n');
    const known = this.tallies.get(key);
    if (known) return known.tally;
    const tally = new Tally(this.buckets);
    this.tallies.set(key, { labels, tally });
    return tally;
  }

  /** For the registry. */
  get(): Promise<{ name: string; help: string; type: string; aggregator: 'sum'; values: Sample[] }> {
    const values = [...this.tallies.values()].flatMap(({ labels, tally }) => this.samplesOf(labels, tally));
    const { name, help, type } = this;
    return Promise.resolve({ name, help, type, aggregator: 'sum', values });
  }

  reset(): void {
    this.tallies.clear();
  }

  private samplesOf(labels: Record<string, string>, { counts, sum, count }: Tally): Sample[] {
    let below = 0;
    const buckets = this.buckets.map((le, i) => {
      below += counts[i] as number;
      return { labels: { ...labels, le }, value: below, metricName: `${this.name}_bucket` };
    });
    return [
      ...buckets,
      { labels: { ...labels, le: '+Inf' }, value: count, metricName: `${this.name}_bucket` },
      { labels, value: sum, metricName: `${this.name}_sum` },
      { labels, value: count, metricName: `${this.name}_count` },
    ];
  }
}
