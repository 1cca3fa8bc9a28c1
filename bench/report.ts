import type { Measurement } from '#bench/measurement';
import { shown, spread } from '#bench/statistics';

/** The measurements of one round, by figure. */
export type RoundResult = Record<string, Measurement>;

interface Criterion {
  name: string;
  of: (round: RoundResult) => number | undefined;
  /** Empty: the ratio is printed without a criterion. */
  wanted: string;
  holds: (median: number) => boolean;
  digits: number;
}

const rate = (name: string) => (round: RoundResult) => round[name]?.perSecond;

function ratio(name: string, base: string, least: number, wanted = `>= ${least}`): Criterion {
  const of = (round: RoundResult): number | undefined => {
    const [above, below] = [rate(name)(round), rate(base)(round)];
    return above !== undefined && below !== undefined ? above / below : undefined;
  };
  return { name: `${name} / ${base}`, of, wanted, holds: (median) => median >= least, digits: 2 };
}

const CRITERIA: readonly Criterion[] = [
  ratio('post', 'post, no write', 0.5),
  ratio('post', 'post, tx per request', 4),
  {
    name: 'post, p99 in ms',
    of: (round) => round.post?.p99Ms,
    wanted: '< 60',
    holds: (median) => median < 60,
    digits: 1,
  },
  ratio('ndjson', 'pg alone', 0.8),
  ratio('xml', 'ndjson', 0.4),
  ratio('post, duplicates', 'post', 1, '> 1'),
  ratio('post, duplicates uncached', 'post', 0, ''),
  ratio('ndjson, duplicates', 'ndjson', 1, '> 1'),
  ratio('ndjson, duplicates uncached', 'ndjson', 0, ''),
];

export interface Verdict {
  name: string;
  median: number;
  min: number;
  max: number;
  wanted: string;
  holds: boolean;
}

/** Ratios are taken within each round, because the speed of the machine changes between rounds. Their median decides. */
export function verdicts(rounds: readonly RoundResult[]): (Verdict & { text: string })[] {
  return CRITERIA.flatMap(({ name, of, wanted, holds, digits }) => {
    const values = rounds.map(of).filter((value) => value !== undefined);
    if (values.length === 0) return [];
    const { median, min, max } = spread(values);
    return [{ name, median, min, max, wanted, holds: holds(median), text: shown(values, digits) }];
  });
}

export function figureTable(rounds: readonly RoundResult[]): string {
  const names = Object.keys(rounds[0] ?? {});
  const rows = names.map((name) => {
    const measured = rounds.flatMap((round) => round[name] ?? []);
    const column = (pick: (m: Measurement) => number): number[] => measured.map(pick);
    const cpu = measured.every(({ cpuUs }) => cpuUs !== null)
      ? shown(
          column(({ cpuUs }) => cpuUs ?? 0),
          0,
        )
      : 'unknown';
    return [
      name,
      shown(
        column(({ perSecond }) => perSecond),
        0,
      ),
      shown(
        column(({ p50Ms }) => p50Ms),
        1,
      ),
      shown(
        column(({ p99Ms }) => p99Ms),
        1,
      ),
      cpu,
    ];
  });
  return table([['median (min–max)', 'events/s', 'p50 ms', 'p99 ms', 'CPU µs/event'], ...rows]);
}

export function verdictTable(rounds: readonly RoundResult[]): string {
  const rows = verdicts(rounds).map(({ name, text, wanted, holds }) => [
    name,
    text,
    wanted,
    wanted && (holds ? 'yes' : 'NO'),
  ]);
  return table([['ratio, by round', 'median (min–max)', 'wanted', 'holds'], ...rows]);
}

/** A text table. The first column is aligned to the left, the others to the right. */
export function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
