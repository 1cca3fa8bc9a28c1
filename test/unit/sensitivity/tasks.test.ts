import type { Outcome, Result } from '../../sensitivity/run/outcome';
import { HEADING, rowOf, succeeded, summaryOf } from '../../sensitivity/run/report';
import { outcomesOf, ResultsFile, withoutResult } from '../../sensitivity/run/results-file';
import { chosenFrom, tasksFor } from '../../sensitivity/run/task';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { faultNoticedBy, VERIFY_RUN } from './given';

const inCache = faultNoticedBy(VERIFY_RUN, { name: 'cached too early', invariant: 'I2' });
const inWorker = faultNoticedBy(
  { tests: ['test/unit/b.test.ts', 'test/unit/a.test.ts'] },
  { name: 'b', stage: 'worker' },
);
const underFaults = faultNoticedBy({ ...VERIFY_RUN, kinds: ['kill-worker'] }, { name: 'c', stage: 'worker' });
const all = [inCache, inWorker, underFaults];

function outcome(name: string, result: Result): Outcome {
  return { name, result, by: [], seconds: 1, tries: 1 };
}

describe('the choice of faults', () => {
  it.each([
    ['part of a name', 'too early', [inCache]],
    ['a stage', 'worker', [inWorker, underFaults]],
    ['an invariant', 'I2', [inCache]],
    ['nothing', '', all],
  ])('goes by %s', (_, only, chosen) => {
    expect(chosenFrom(all, { only })).toEqual(chosen);
  });

  it('goes by who must notice', () => {
    expect(chosenFrom(all, { only: '', by: 'tests' })).toEqual([inWorker]);
    expect(chosenFrom(all, { only: '', by: 'verify' })).toEqual([inCache, underFaults]);
  });
});

describe('the tasks', () => {
  it('begin with the runs and tests on the unchanged tree, each once', () => {
    const again = { ...inCache, name: 'another' };
    const more = { ...inWorker, name: 'more' };
    expect(tasksFor([...all, again, more]).map(({ name }) => name)).toEqual([
      'unchanged: seed 2, 20 s, no faults',
      'unchanged: seed 2, 20 s, kill-worker',
      'unchanged: unit/a and 1 more',
      'cached too early',
      'b',
      'c',
      'another',
      'more',
    ]);
  });

  it('have different names, also with many test files', () => {
    const tests = Array.from({ length: 40 }, (_, i) => `test/unit/file-${i}.test.ts`);
    const tasks = tasksFor([faultNoticedBy({ tests })]);
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(tasks.length);
    expect(
      tasks
        .slice(0, -1)
        .flatMap(({ proof }) => ('tests' in proof ? proof.tests : []))
        .sort(),
    ).toEqual(tests.sort());
  });
});

describe('the file of results', () => {
  let directory: string;
  beforeAll(() => (directory = mkdtempSync(path.join(tmpdir(), 'streamforge-results-'))));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('holds what was appended, and leaves out a line that was cut off', () => {
    const file = path.join(directory, 'results.jsonl');
    const results = new ResultsFile(file, 'abc');
    expect(results.read()).toEqual([]);
    results.append(outcome('b', 'noticed'));
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"commit":"ab`);
    expect(results.read()).toEqual([outcome('b', 'noticed')]);
    results.append(outcome('c', 'unnoticed'));
    expect(results.read()).toEqual([outcome('b', 'noticed'), outcome('c', 'unnoticed')]);
  });

  it('is refused if it is of another commit', () => {
    expect(() => outcomesOf('{"commit":"abc","name":"b","result":"noticed"}\n', 'def')).toThrow('of commit abc');
  });

  it('has the last outcome of a task', () => {
    const lines = ['inconclusive', 'noticed'].map((result) => `{"commit":"abc","name":"b","result":"${result}"}\n`);
    expect(outcomesOf(lines.join(''), 'abc')).toEqual([{ name: 'b', result: 'noticed' }]);
  });

  it('leaves the tasks that have no result or were inconclusive', () => {
    const outcomes = [outcome('cached too early', 'noticed'), outcome('b', 'inconclusive')];
    expect(withoutResult(all, outcomes)).toEqual([inWorker, underFaults]);
  });
});

describe('the report', () => {
  const tasks = tasksFor(all);
  const outcomes = tasks.map(({ name, fault }) => outcome(name, fault ? 'noticed' : 'passed'));

  it('counts who noticed', () => {
    expect(summaryOf(tasks, outcomes)).toEqual({
      faults: 3,
      noticed: 3,
      noticedBy: { verify: 2, tests: 1 },
      unnoticed: [],
      inconclusive: [],
      failedUnchanged: [],
      notRun: [],
    });
    expect(succeeded(summaryOf(tasks, outcomes))).toBe(true);
  });

  it.each([
    ['unnoticed', 'b', 'unnoticed'],
    ['inconclusive', 'b', 'inconclusive'],
    ['failedUnchanged', 'unchanged: unit/a and 1 more', 'failed'],
  ] as const)('names what was %s, which is no success', (list, name, result) => {
    const summary = summaryOf(
      tasks,
      outcomes.map((one) => (one.name === name ? { ...one, result } : one)),
    );
    expect(summary[list]).toEqual([name]);
    expect(succeeded(summary)).toBe(false);
  });

  it('names what was not run, which is no success', () => {
    const summary = summaryOf(tasks, outcomes.slice(0, -1));
    expect(summary.notRun).toEqual(['c']);
    expect(succeeded(summary)).toBe(false);
  });

  it('has one row for each task, of as many cells as the heading', () => {
    const task = tasks[0] as (typeof tasks)[0];
    const row = rowOf(task, { ...outcome(task.name, 'inconclusive'), by: ['two\nlines'] });
    expect(row).toContain('INCONCLUSIVE');
    expect(row).toContain('two lines');
    expect(row.split(' | ')).toHaveLength((HEADING[0] as string).split(' | ').length);
  });
});
