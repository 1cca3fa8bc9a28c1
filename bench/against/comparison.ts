import { table } from '#bench/report';
import { fixed, quartiles, spread, type Quartiles } from '#bench/statistics';

/** Events per second of both builds in one round. */
export interface Pair {
  old: number;
  new: number;
}

export interface Comparison {
  old: number;
  new: number;
  ratio: Quartiles & { min: number; max: number };
  holds: boolean;
}

/** A lower ratio is a loss of speed. */
const LEAST_RATIO = 0.97;

/** Compares within each round, because the speed of the machine changes between rounds. The upper quartile decides. */
export function compared(rounds: readonly Pair[], least = LEAST_RATIO): Comparison {
  const ratios = rounds.map((pair) => pair.new / pair.old);
  const ratio = { ...spread(ratios), ...quartiles(ratios) };
  return {
    old: quartiles(rounds.map((pair) => pair.old)).median,
    new: quartiles(rounds.map((pair) => pair.new)).median,
    ratio,
    holds: ratio.upper >= least,
  };
}

export function comparisonTable(groups: ReadonlyMap<string, Comparison>, least = LEAST_RATIO): string {
  const rows = [...groups].map(([group, { old, new: ours, ratio, holds }]) => [
    group,
    fixed(old, 0),
    fixed(ours, 0),
    fixed(ratio.median, 3),
    `${fixed(ratio.lower, 3)}–${fixed(ratio.upper, 3)}`,
    `${fixed(ratio.min, 3)}–${fixed(ratio.max, 3)}`,
    holds ? 'PASS' : 'FAIL',
  ]);
  const wanted = `upper quartile >= ${least}`;
  return table([['', 'old events/s', 'new events/s', 'new / old', 'quartiles', 'min–max', wanted], ...rows]);
}
