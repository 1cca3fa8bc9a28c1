import { fixed, quartiles, shown } from '#bench/statistics';

/** A line for ratios that were taken within rounds. The upper quartile decides, as in a comparison of builds. */
export function shownRatio(name: string, values: readonly number[], least: number): { text: string; holds: boolean } {
  const { upper } = quartiles(values);
  const holds = upper >= least;
  const text = `${holds ? 'PASS' : 'FAIL'} ${name}: ${shown(values, 3)}, upper quartile ${fixed(upper, 3)} (wanted >= ${least})`;
  return { text, holds };
}
