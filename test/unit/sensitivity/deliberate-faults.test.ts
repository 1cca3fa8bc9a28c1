import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { DELIBERATE_FAULTS } from '../../sensitivity/all-faults';
import { STAGES } from '../../sensitivity/deliberate-fault';

const ROOT = path.resolve(__dirname, '../../..');
const edits = DELIBERATE_FAULTS.flatMap(({ name, edits: all }) => all.map((edit) => ({ name, ...edit })));

/** `npm run sensitivity` runs by hand. In between, this checks that its list still fits the code. */
describe('deliberate faults', () => {
  it.each(edits)('$name: is found exactly once in $file', ({ file, find, replace }) => {
    expect(readFileSync(path.join(ROOT, file), 'utf8').split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it('have names of their own and tests that exist', () => {
    expect(new Set(DELIBERATE_FAULTS.map(({ name }) => name)).size).toBe(DELIBERATE_FAULTS.length);
    const tests = DELIBERATE_FAULTS.flatMap(({ noticedBy }) => ('tests' in noticedBy ? noticedBy.tests : []));
    for (const file of tests) expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
  });

  it('are in every stage, and most are noticed by the fault suite', () => {
    expect(new Set(DELIBERATE_FAULTS.map(({ stage }) => stage))).toEqual(new Set(STAGES));
    const byVerify = DELIBERATE_FAULTS.filter(({ noticedBy }) => 'seed' in noticedBy);
    expect(byVerify.length).toBeGreaterThanOrEqual(30);
  });
});
