import { compared, comparisonTable } from '../../../bench/against/comparison';

const pairs = (...ratios: number[]) => ratios.map((ratio, i) => ({ old: 1000 * (i + 1), new: 1000 * (i + 1) * ratio }));

describe('the comparison of two builds', () => {
  it('takes the ratio within each round, not between the medians of both builds', () => {
    const slowMachineInTurn = [
      { old: 1000, new: 1100 },
      { old: 100, new: 110 },
      { old: 500, new: 550 },
    ];

    const { old, new: ours, ratio } = compared(slowMachineInTurn);

    expect([old, ours]).toEqual([500, 550]);
    expect([ratio.min, ratio.median, ratio.max].map((value) => value.toFixed(9))).toEqual(Array(3).fill('1.100000000'));
  });

  it('interpolates the quartiles and says the whole spread', () => {
    const { ratio } = compared(pairs(0.9, 1.1, 1.0, 1.2, 0.8, 1.3, 0.7));

    const { lower, median, upper, min, max } = ratio;
    expect([lower, median, upper, min, max].map((value) => value.toFixed(6))).toEqual(
      [0.85, 1, 1.15, 0.7, 1.3].map((value) => value.toFixed(6)),
    );
  });

  it('holds when the upper quartile reaches 0.97, even if the median does not', () => {
    expect(compared(pairs(0.9, 0.9, 0.9, 0.9, 0.97, 0.97, 0.97)).holds).toBe(true);
  });

  it('does not hold for one fast round among slow ones', () => {
    expect(compared(pairs(0.9, 0.9, 0.9, 0.9, 0.9, 0.95, 1.5)).holds).toBe(false);
  });

  it('is shown as one line for each group', () => {
    const lines = comparisonTable(new Map([['single', compared(pairs(0.96))]]))
      .trim()
      .split('\n');

    expect(lines[1]?.split(/ {2,}/)).toEqual(['single', '1,000', '960', '0.960', '0.960–0.960', '0.960–0.960', 'FAIL']);
  });
});
