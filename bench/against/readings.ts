/** The value of a counter in /metrics at a moment. */
export interface Reading {
  atMs: number;
  count: number;
}

/** A counter in Prometheus text, summed over its series that have `label`. */
export function counterIn(text: string, name: string, label = ''): number {
  const series = text.split('\n').filter((line) => /^[^{ ]*/.exec(line)?.[0] === name && line.includes(label));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/**
 * Events per second between the first and the last reading that saw some but not all events done. This leaves out the
 * start of the process and the delay before the final reading.
 * @throws Error if fewer than two readings fall into that time.
 */
export function ratePerSecond(readings: readonly Reading[], all: number): number {
  const busy = readings.filter(({ count }) => count > 0 && count < all);
  const [first, last] = [busy[0], busy.at(-1)];
  if (!first || !last || first === last) throw new Error(`${all} events are done too soon to be timed: raise --events`);
  return ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
}
