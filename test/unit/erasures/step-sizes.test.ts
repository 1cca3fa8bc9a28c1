import { LARGEST_STEP, StepSizes } from '../../../src/admin/erasures/step-sizes';

describe('the size of a step', () => {
  it('is halved by each failure, down to one, and doubled by each success', () => {
    const sizes = new StepSizes();
    const failed = Array.from({ length: 9 }, () => [sizes.failed('a'), sizes.of('a')]);
    expect(failed.map(([, size]) => size)).toEqual([100, 50, 25, 12, 6, 3, 1, 1, 1]);
    expect(failed.map(([isFirst]) => isFirst)).toEqual([true, ...Array<boolean>(8).fill(false)]);
    expect(sizes.of('b')).toBe(LARGEST_STEP);
    for (const size of [2, 4, 8, 16, 32, 64, 128, LARGEST_STEP, LARGEST_STEP]) {
      sizes.succeeded('a');
      expect(sizes.of('a')).toBe(size);
    }
    expect(sizes.failed('a')).toBe(true);
  });

  it('is the largest one again for an erasure that is carried on later', () => {
    const sizes = new StepSizes();
    sizes.failed('a');
    sizes.forget('a');
    expect(sizes.of('a')).toBe(LARGEST_STEP);
    sizes.failed('a');
    sizes.forgetAll();
    expect(sizes.of('a')).toBe(LARGEST_STEP);
  });
});
