import { shown, spread } from '#bench/statistics';

/** A figure with the value that it may not exceed. */
export interface Bound {
  what: string;
  /** One value for each round; their median decides. */
  values: readonly number[];
  most: number;
  digits: number;
}

export function holds({ values, most }: Bound): boolean {
  return spread(values).median <= most;
}

/** The line of a report. */
export function boundLine(bound: Bound): string {
  const { what, values, most, digits } = bound;
  return `${holds(bound) ? 'PASS' : 'FAIL'} ${what}: ${shown(values, digits)} (wanted <= ${most})\n`;
}
