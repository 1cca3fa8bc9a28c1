import { setTimeout as sleep } from 'node:timers/promises';
import { SharedRounds } from '../../../src/redis/shared-rounds';
import { eventually } from '../../support/eventually';

/** Rounds that end when the test says so. */
function gathered(limits: { most: number; gatherMs?: number }) {
  const rounds: { items: readonly string[]; end: () => void }[] = [];
  const shared = new SharedRounds<string, string>((items) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    rounds.push({ items, end: () => resolve(items.join('')) });
    return promise;
  }, limits);
  return { shared, rounds, itemsOf: () => rounds.map(({ items }) => items.join('')) };
}

describe('shared rounds', () => {
  it('take what comes in one turn together, and what comes meanwhile in the next one', async () => {
    const { shared, rounds, itemsOf } = gathered({ most: 10 });
    const first = [shared.add(['a']), shared.add(['b', 'c'])];
    await Promise.resolve();
    const second = [shared.add(['d']), shared.add(['e'])];
    expect(itemsOf()).toEqual(['abc']);
    rounds[0]?.end();
    expect(await Promise.all(first)).toEqual(['abc', 'abc']);
    await eventually(() => expect(itemsOf()).toEqual(['abc', 'de']));
    rounds[1]?.end();
    expect(await Promise.all(second)).toEqual(['de', 'de']);
  });

  it('are begun without waiting for one that hangs', async () => {
    const { shared, itemsOf } = gathered({ most: 10 });
    void shared.add(['a']);
    await Promise.resolve();
    void shared.add(['b']);
    await eventually(() => expect(itemsOf()).toEqual(['a', 'b']));
  });

  it('have a bounded number of items', async () => {
    const { shared, itemsOf } = gathered({ most: 3 });
    for (const items of [['a', 'b'], ['c'], ['d', 'e', 'f', 'g'], ['h']]) void shared.add(items);
    await eventually(() => expect(itemsOf()).toEqual(['abc', 'defg', 'h']));
  });

  it('wait for others as long as they are told to', async () => {
    const { shared, rounds, itemsOf } = gathered({ most: 10, gatherMs: 5 });
    const first = shared.add(['a']);
    await Promise.resolve();
    expect(itemsOf()).toEqual([]);
    void shared.add(['b']);
    await eventually(() => expect(itemsOf()).toEqual(['ab']));
    rounds[0]?.end();
    expect(await first).toBe('ab');
    await sleep(1);
    expect(itemsOf()).toEqual(['ab']); // nothing is left to begin
  });
});
