import type { Outcome, Result } from './outcome';
import type { Task } from './task';

const WIDTHS = [84, 10, 9, 12, 7];
const MOST_LENGTH = 300;

export const HEADING = [
  row('deliberate fault', 'stage', 'invariant', 'result', 'seconds', 'by'),
  row('---', '---', '---', '---', '---', '---'),
];

export function rowOf({ name, fault }: Task, { result, by, seconds }: Outcome): string {
  const [first = 'nobody'] = by;
  const further = by.length > 1 ? ` (and ${by.length - 1} more)` : '';
  const isGood = result === 'noticed' || result === 'passed';
  const told = result === 'passed' ? '' : `${first.replaceAll(/\s+/g, ' ').slice(0, MOST_LENGTH)}${further}`;
  const shown = isGood ? result : result.toUpperCase();
  return row(name, fault?.stage ?? '', fault?.invariant ?? '', shown, String(seconds), told);
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0)).join(' | ')} |`;
}

/** What scripts read: the last line of the output. */
export interface Summary {
  faults: number;
  noticed: number;
  noticedBy: { verify: number; tests: number };
  unnoticed: string[];
  inconclusive: string[];
  /** Runs and tests that fail on the unchanged tree. They prove nothing about the faults that they should notice. */
  failedUnchanged: string[];
  /** Without an outcome, because the command was stopped. */
  notRun: string[];
}

export function summaryOf(tasks: readonly Task[], outcomes: readonly Outcome[]): Summary {
  const results = new Map(outcomes.map(({ name, result }) => [name, result]));
  const withResult = (wanted: Result | undefined): Task[] => tasks.filter(({ name }) => results.get(name) === wanted);
  const names = (wanted: Result | undefined): string[] => withResult(wanted).map(({ name }) => name);
  const noticed = withResult('noticed');
  const byTests = noticed.filter(({ proof }) => 'tests' in proof).length;
  return {
    faults: tasks.filter(({ fault }) => fault).length,
    noticed: noticed.length,
    noticedBy: { verify: noticed.length - byTests, tests: byTests },
    unnoticed: names('unnoticed'),
    inconclusive: names('inconclusive'),
    failedUnchanged: names('failed'),
    notRun: names(undefined),
  };
}

export function succeeded({ unnoticed, inconclusive, failedUnchanged, notRun }: Summary): boolean {
  return [unnoticed, inconclusive, failedUnchanged, notRun].every((list) => list.length === 0);
}
