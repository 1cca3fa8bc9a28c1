/** The value of a step, and how long the step has lasted: the newest one still grows. */
export interface Sample {
  atMs: number;
  value: number;
  seconds: number;
}

/** A step shorter than this says little about a rate. */
const LEAST_SECONDS = 5;

/** How many per second there were in each step. The newest one has none until it has lasted long enough. */
export const ratesOf = (samples: readonly Sample[]): Sample[] =>
  samples
    .filter(({ seconds }) => seconds >= LEAST_SECONDS)
    .map((sample) => ({ ...sample, value: sample.value / sample.seconds }));

/** How many per second there were in the newest `seconds` of the steps. */
export function rateOf(samples: readonly Sample[], seconds: number): number {
  let [count, lasted] = [0, 0];
  for (const sample of samples.toReversed()) {
    if (lasted >= seconds) break;
    count += sample.value;
    lasted += sample.seconds;
  }
  return lasted === 0 ? 0 : count / lasted;
}

/** Lines over one time axis. Where a line has no value, there is a gap. */
export interface Lines {
  /** Starts of the steps, in seconds since 1970. */
  at: number[];
  values: (number | null)[][];
}

/** @param axis steps that the time axis has besides, so that a line with few values keeps its place in time */
export function linesOf(series: readonly (readonly Sample[])[], axis: readonly Sample[] = []): Lines {
  const steps = [...axis, ...series.flat()].map(({ atMs }) => atMs / 1_000);
  const at = [...new Set(steps)].sort((a, b) => a - b);
  const values = series.map((samples) => {
    const bySecond = new Map(samples.map(({ atMs, value }) => [atMs / 1_000, value]));
    return at.map((second) => bySecond.get(second) ?? null);
  });
  return { at, values };
}
