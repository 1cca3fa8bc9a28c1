import * as fc from 'fast-check';
import { Isolation } from '../../../src/worker/run/isolation';

interface Item {
  group: string;
  bad: boolean;
}

async function search(
  items: readonly Item[],
): Promise<{ failed: Item[]; givenUp: Item[]; passed: Set<Item>; calls: number }> {
  const found = { failed: [] as Item[], givenUp: [] as Item[], passed: new Set<Item>(), calls: 0 };
  await new Isolation<Item>(({ group }) => group).find(items, {
    attempt: async (part) => {
      found.calls += 1;
      if (part.some(({ bad }) => bad)) return new Error('bad');
      for (const item of part) found.passed.add(item);
      return undefined;
    },
    markFailed: (item) => found.failed.push(item),
    giveUp: (item) => found.givenUp.push(item),
  });
  return found;
}

const items = (group: string, good: number, bad: number): Item[] =>
  Array.from({ length: good + bad }, (_, i) => ({ group, bad: i < bad }));

describe('the search for events that fail', () => {
  it('finds one of a hundred in about twice log2 calls', async () => {
    const { failed, passed, calls } = await search(items('a', 99, 1));
    expect([failed.length, passed.size]).toEqual([1, 99]);
    expect(calls).toBeLessThanOrEqual(15);
  });

  it('gives up on a group of which ten have failed, and on no other', async () => {
    const { failed, givenUp, passed, calls } = await search([...items('bad', 0, 80), ...items('good', 20, 0)]);
    expect([failed.length, givenUp.length, passed.size]).toEqual([10, 70, 20]);
    expect(calls).toBeLessThan(40);
  });

  it('passes, fails or gives up every item exactly once, and fails only bad ones', async () => {
    const item = fc.record({ group: fc.constantFrom('a', 'b', 'c'), bad: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 60 }), async (all) => {
        const { failed, givenUp, passed } = await search(all);
        expect(failed.every(({ bad }) => bad)).toBe(true);
        expect([...passed].some(({ bad }) => bad)).toBe(false);
        expect(failed.length + givenUp.length + passed.size).toBe(all.length);
      }),
    );
  });
});
