import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { SAFEGUARDS } from '../../sensitivity/safeguards';

const ROOT = path.resolve(__dirname, '../../..');
const edits = SAFEGUARDS.flatMap(({ name, edits: all }) => all.map((edit) => ({ name, ...edit })));

/** `npm run sensitivity` runs by hand; this keeps its table true to the code in between. */
describe('safeguards that can be switched off', () => {
  it.each(edits)('$name: is found exactly once in $file', ({ file, find, replace }) => {
    expect(readFileSync(path.join(ROOT, file), 'utf8').split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it('have names of their own and tests that exist', () => {
    expect(new Set(SAFEGUARDS.map(({ name }) => name)).size).toBe(SAFEGUARDS.length);
    for (const file of SAFEGUARDS.flatMap(({ tests }) => tests))
      expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
  });
});
