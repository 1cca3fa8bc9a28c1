import * as fs from 'node:fs';
import type { Outcome } from './outcome';

type Line = Outcome & { commit: string };

/** The outcomes of one commit, one line of JSON each, so that a run that was broken off can go on. */
export class ResultsFile {
  constructor(
    private readonly file: string,
    private readonly commit: string,
  ) {}

  /** Returns the outcomes so far. @throws if one is of another commit */
  read(): Outcome[] {
    if (!fs.existsSync(this.file)) return [];
    const text = completeLinesOf(fs.readFileSync(this.file, 'utf8'));
    fs.writeFileSync(this.file, text);
    return outcomesOf(text, this.commit);
  }

  append(outcome: Outcome): void {
    const line: Line = { commit: this.commit, ...outcome };
    fs.appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }
}

/** Leaves out the last line if it was cut off. */
const completeLinesOf = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);

/** Returns the last outcome of each task. @throws if one is of another commit */
export function outcomesOf(text: string, commit: string): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const { commit: of, ...outcome } = JSON.parse(line) as Line;
    if (of !== commit) throw new Error(`the results are of commit ${of}, and this is ${commit}`);
    outcomes.set(outcome.name, outcome);
  }
  return [...outcomes.values()];
}

/** Returns the tasks without a result. Those that were inconclusive run again. */
export function withoutResult<T extends { name: string }>(tasks: readonly T[], outcomes: readonly Outcome[]): T[] {
  const done = new Set(outcomes.filter(({ result }) => result !== 'inconclusive').map(({ name }) => name));
  return tasks.filter(({ name }) => !done.has(name));
}
