import { parseArgs } from 'node:util';
import startTestServers from '../support/jest/global-setup';
import stopTestServers from '../support/jest/global-teardown';
import { ChangedTree } from './changed-tree';
import { DELIBERATE_FAULTS } from './all-faults';
import type { DeliberateFault, Edit, NoticedByVerify } from './deliberate-fault';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const row = (...cells: string[]): void => {
  const widths = [84, 10, 9, 7, 0];
  say(`| ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |`);
};

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, by: { type: 'string' } } });
  const chosen = DELIBERATE_FAULTS.filter((fault) => isChosen(fault, values.only, values.by));
  if (chosen.length === 0) {
    say('no deliberate fault has this name, stage or invariant');
    return 2;
  }
  if (chosen.some(({ noticedBy }) => 'tests' in noticedBy)) await startTestServers();
  try {
    checkUnchanged(chosen);
    row('deliberate fault', 'stage', 'invariant', 'noticed', 'by');
    row('---', '---', '---', '---', '---');
    const unnoticed = chosen.filter((fault) => !isNoticed(fault));
    say(`${chosen.length - unnoticed.length} of ${chosen.length} were noticed`);
    return unnoticed.length === 0 ? 0 : 1;
  } finally {
    if ('stopTestServers' in globalThis) await stopTestServers();
  }
}

function isChosen({ name, stage, invariant, noticedBy }: DeliberateFault, only: string, by?: string): boolean {
  if (by !== undefined && by !== ('tests' in noticedBy ? 'tests' : 'verify')) return false;
  return name.includes(only) || stage === only || invariant === only;
}

/** Checks that tests and runs pass on the unchanged tree. @throws if one fails */
function checkUnchanged(chosen: readonly DeliberateFault[]): void {
  const tests = [...new Set(chosen.flatMap(({ noticedBy }) => ('tests' in noticedBy ? noticedBy.tests : [])))];
  const runs = new Map<string, NoticedByVerify>();
  for (const { noticedBy } of chosen) {
    if ('tests' in noticedBy) continue;
    const { seed, seconds, kinds } = noticedBy;
    runs.set(JSON.stringify({ seed, seconds, kinds }), noticedBy);
  }
  say(`unchanged tree: ${tests.length} test files, ${runs.size} runs`);
  withTree([], (tree) => {
    const failed = tests.length > 0 ? tree.failedTests(tests) : [];
    if (failed.length > 0) throw new Error(`these tests fail on the unchanged tree: ${failed.join(', ')}`);
    for (const [options, run] of runs) {
      const broken = tree.brokenPromises(run);
      if (broken.size > 0)
        throw new Error(`${options} has violations on the unchanged tree: ${[...broken.keys()].join(', ')}`);
    }
  });
}

function isNoticed({ name, stage, invariant = '', edits, noticedBy }: DeliberateFault): boolean {
  const by = withTree(edits, (tree) =>
    'tests' in noticedBy ? tree.failedTests(noticedBy.tests) : promisesBroken(tree, noticedBy),
  );
  const [first = 'nobody'] = by;
  const further = by.length > 1 ? ` (and ${by.length - 1} more)` : '';
  row(name, stage, invariant, by.length > 0 ? 'yes' : 'NO', `${first}${further}`);
  return by.length > 0;
}

/** Returns nothing if the run reported only violations that are not listed for the fault. */
function promisesBroken(tree: ChangedTree, noticedBy: NoticedByVerify): string[] {
  const broken = tree.brokenPromises(noticedBy);
  const told = [...broken].map(([breach, count]) => `${breach} ${count}`).join(', ');
  return noticedBy.breaches.some((breach) => broken.has(breach)) ? [`verify: ${told}`] : [];
}

function withTree<T>(edits: readonly Edit[], use: (tree: ChangedTree) => T): T {
  const tree = new ChangedTree(edits);
  try {
    return use(tree);
  } finally {
    tree.remove();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
