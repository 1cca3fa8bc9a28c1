import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { DELIBERATE_FAULTS } from '../all-faults';
import { SOURCES } from './changed-tree';
import { inParallel } from './in-parallel';
import { outcomeOf, type Outcome } from './outcome';
import { HEADING, rowOf, succeeded, summaryOf } from './report';
import { ResultsFile, withoutResult } from './results-file';
import { chosenFrom, tasksFor, type Choice, type Task } from './task';
import { Workplace } from './workplace';

const ROOT = path.resolve(__dirname, '../../..');
const NO_FAULT_CHOSEN = 2;

export interface Options extends Choice {
  /** Tasks that run at the same time. */
  jobs: number;
  /** Outcomes are read from this file and appended to it. */
  resume?: string | undefined;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs all chosen tasks, prints a row for each that ends and a summary, and returns the exit code. */
export async function sensitivity({ jobs, resume, ...choice }: Options): Promise<number> {
  const chosen = chosenFrom(DELIBERATE_FAULTS, choice);
  if (chosen.length === 0) {
    say('no deliberate fault has this name, stage or invariant');
    return NO_FAULT_CHOSEN;
  }
  const tasks = tasksFor(chosen);
  const file = resume === undefined ? undefined : new ResultsFile(resume, cleanCommit());
  const outcomes = file?.read() ?? [];
  const left = withoutResult(tasks, outcomes);
  say(`${chosen.length} deliberate faults; ${left.length} of ${tasks.length} tasks are left, ${jobs} at a time`);
  for (const line of HEADING) say(line);
  try {
    await carryOut(left, jobs, (task, outcome) => {
      file?.append(outcome);
      outcomes.push(outcome);
      say(rowOf(task, outcome));
    });
  } finally {
    say(JSON.stringify(summaryOf(tasks, outcomes)));
  }
  return succeeded(summaryOf(tasks, outcomes)) ? 0 : 1;
}

/** SIGINT and SIGTERM end the tasks that run, and no further task starts. */
async function carryOut(
  tasks: readonly Task[],
  jobs: number,
  done: (task: Task, outcome: Outcome) => void,
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error(`got ${signal}`)));
  const workplaces = Array.from({ length: Math.min(jobs, tasks.length) }, () => new Workplace(stop.signal));
  try {
    const workers = workplaces.map((workplace) => async (task: Task): Promise<void> => {
      done(task, await outcomeOf(task, () => workplace.carryOut(task), stop.signal));
    });
    await inParallel(tasks, workers);
  } finally {
    await Promise.all(workplaces.map((workplace) => workplace.close()));
  }
}

/** Returns the commit that is checked out. @throws if the sources differ from it */
function cleanCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', ...SOURCES);
  if (changed !== '') throw new Error(`--resume needs a tree without changes:\n${changed}`);
  return git('rev-parse', 'HEAD');
}
