import { Progress } from '../../verify/evidence/leftovers';

describe('progress on the way to rest', () => {
  const seen = (...counts: [events: number, retries: number][]): Progress => {
    const progress = new Progress();
    for (const [events, retries] of counts) progress.see({ events, retries });
    return progress;
  };
  const standing = Array.from({ length: 10 }, (): [number, number] => [5, 3]);

  it('is missing when no count falls for a while', async () => {
    const progress = seen([5, 3], ...standing);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([progress.missingFor(1), progress.missingFor(60_000)]).toEqual([true, false]);
  });

  it('is not missing while one count falls and another one rises', async () => {
    const progress = seen([5, 3], ...standing, [4, 9]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(progress.missingFor(1)).toBe(false);
  });
});
