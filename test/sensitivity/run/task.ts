import type { DeliberateFault, Edit, NoticedByVerify } from '../deliberate-fault';

/** A deliberate fault that must be noticed, or a run or test files that must pass on the unchanged tree. */
export interface Task {
  /** Unique. */
  name: string;
  fault?: DeliberateFault;
  edits: readonly Edit[];
  proof: NoticedByVerify | { tests: readonly string[] };
}

export interface Choice {
  /** Part of a name, a stage or an invariant. */
  only: string;
  by?: 'verify' | 'tests' | undefined;
}

/** Enough to use up the start of Jest, few enough that a slow machine runs them within the limit of one task. */
const TEST_FILES_AT_ONCE = 6;

export function chosenFrom(faults: readonly DeliberateFault[], { only, by }: Choice): DeliberateFault[] {
  return faults.filter(
    ({ name, stage, invariant, noticedBy }) =>
      (by === undefined || by === ('tests' in noticedBy ? 'tests' : 'verify')) &&
      (name.includes(only) || stage === only || invariant === only),
  );
}

/** Returns the checks of the unchanged tree that these faults need, then the faults. */
export function tasksFor(faults: readonly DeliberateFault[]): Task[] {
  return [
    ...unchangedRuns(faults),
    ...unchangedTests(faults),
    ...faults.map((fault) => ({ name: fault.name, fault, edits: fault.edits, proof: fault.noticedBy })),
  ];
}

function unchangedRuns(faults: readonly DeliberateFault[]): Task[] {
  const runs = new Map<string, Task>();
  for (const { noticedBy } of faults) {
    if ('tests' in noticedBy) continue;
    const { seed, seconds, kinds } = noticedBy;
    const name = `unchanged: seed ${seed}, ${seconds} s, ${kinds ? kinds.join(' ') || 'no faults' : 'all faults'}`;
    runs.set(name, { name, edits: [], proof: { ...noticedBy, breaches: [] } });
  }
  return [...runs.values()];
}

function unchangedTests(faults: readonly DeliberateFault[]): Task[] {
  const files = [...new Set(faults.flatMap(({ noticedBy }) => ('tests' in noticedBy ? noticedBy.tests : [])))].sort();
  const groups = Array.from({ length: Math.ceil(files.length / TEST_FILES_AT_ONCE) }, (_, i) =>
    files.slice(i * TEST_FILES_AT_ONCE, (i + 1) * TEST_FILES_AT_ONCE),
  );
  return groups.map((tests) => ({
    name: `unchanged: ${tests[0]?.replace(/^test\/|\.test\.ts$/g, '')}${tests.length > 1 ? ` and ${tests.length - 1} more` : ''}`,
    edits: [],
    proof: { tests },
  }));
}
