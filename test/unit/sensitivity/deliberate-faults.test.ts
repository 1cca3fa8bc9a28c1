import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { DELIBERATE_FAULTS } from '../../sensitivity/all-faults';
import { STAGES } from '../../sensitivity/deliberate-fault';
import { tableOf } from '../../sensitivity/table';

const ROOT = path.resolve(__dirname, '../../..');
const edits = DELIBERATE_FAULTS.flatMap(({ name, edits: all }) => all.map((edit) => ({ name, ...edit })));

/** The rows of the table of faults in docs/verify.md. */
function documentedRows(): string[][] {
  const page = readFileSync(path.join(ROOT, 'docs/verify.md'), 'utf8');
  const [, table = ''] = page.split('\n| deliberate fault ');
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(1).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The names that a file imports and does not use, other than in comments. */
function unusedImports(text: string): string[] {
  const code = text.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
  const names = [...code.matchAll(/^import (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) => list.split(','));
  return names
    .map((name) => name.trim().split(/\s+/).at(-1) ?? '')
    .filter((name) => name !== '' && code.split(new RegExp(`\\b${name}\\b`)).length <= 2);
}

/** `npm run sensitivity` runs by hand. In between, this checks that its list still fits the code. */
describe('deliberate faults', () => {
  it.each(edits)('$name: is found exactly once in $file', ({ file, find, replace }) => {
    expect(readFileSync(path.join(ROOT, file), 'utf8').split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it.each(DELIBERATE_FAULTS)('$name: leaves no import unused, which would not compile', ({ edits: all }) => {
    for (const file of new Set(all.map((edit) => edit.file))) {
      const text = readFileSync(path.join(ROOT, file), 'utf8');
      const changed = all
        .filter((edit) => edit.file === file)
        .reduce((sum, { find, replace }) => sum.replace(find, () => replace), text);
      expect(unusedImports(changed).filter((name) => !unusedImports(text).includes(name))).toEqual([]);
    }
  });

  it('have different names, and tests that exist', () => {
    expect(new Set(DELIBERATE_FAULTS.map(({ name }) => name)).size).toBe(DELIBERATE_FAULTS.length);
    const tests = DELIBERATE_FAULTS.flatMap(({ noticedBy }) => ('tests' in noticedBy ? noticedBy.tests : []));
    for (const file of tests) expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
  });

  it('cover every stage, and the fault suite has to notice at least 30', () => {
    expect(new Set(DELIBERATE_FAULTS.map(({ stage }) => stage))).toEqual(new Set(STAGES));
    const byVerify = DELIBERATE_FAULTS.filter(({ noticedBy }) => 'seed' in noticedBy);
    expect(byVerify.length).toBeGreaterThanOrEqual(30);
  });

  it('are listed in docs/verify.md', () => {
    expect(documentedRows()).toEqual(tableOf(DELIBERATE_FAULTS));
  });
});
