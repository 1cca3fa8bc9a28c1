import { failedTests } from './changed-tree';
import { SAFEGUARDS, type Safeguard } from './safeguards';

const EACH_WITHIN_MS = 400_000;

const only = process.env.SENSITIVITY_ONLY ?? '';
const chosen = SAFEGUARDS.filter(({ name, invariant }) => name.includes(only) || invariant === only);

const say = (...cells: string[]): void => {
  const widths = [56, 9, 7, 0];
  process.stdout.write(`| ${cells.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |\n`);
};

function tell({ name, invariant }: Safeguard, failed: readonly string[]): void {
  const [first = 'no test'] = failed;
  say(
    name,
    invariant,
    failed.length > 0 ? 'yes' : 'NO',
    failed.length > 1 ? `${first} (and ${failed.length - 1} more)` : first,
  );
}

it(
  'notices when a safeguard is switched off',
  () => {
    expect(failedTests([], [...new Set(chosen.flatMap(({ tests }) => tests))])).toEqual([]); // as things are
    say('switched off', 'invariant', 'noticed', 'by');
    say('---', '---', '---', '---');
    const unnoticed = chosen.filter((safeguard) => {
      const failed = failedTests(safeguard.edits, safeguard.tests);
      tell(safeguard, failed);
      return failed.length === 0;
    });
    expect(unnoticed.map(({ name }) => name)).toEqual([]);
  },
  (chosen.length + 1) * EACH_WITHIN_MS,
);
