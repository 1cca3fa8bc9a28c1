import {
  checkedUsageSlices,
  dueUsageSlices,
  monthToOpen,
  usageNotAhead,
  untilNextUsageSlice,
} from '../../../src/usage/decide-usage-slices';

const at = (instant: string): number => Date.parse(instant) / 1_000;

describe('the slices of usage', () => {
  const countedTo = at('2026-11-30T12:00:00Z');
  const due = (seconds: number, most = 100) =>
    dueUsageSlices({ countedTo, now: countedTo + seconds, openFrom: null }, most);

  it('are due two seconds after their end, and at most so many at once', () => {
    expect(due(11.9)).toEqual({ from: countedTo, to: countedTo });
    expect(due(12)).toEqual({ from: countedTo, to: countedTo + 10 });
    expect(due(1_000, 6)).toEqual({ from: countedTo, to: countedTo + 60 });
    expect(due(-1_000)).toEqual({ from: countedTo, to: countedTo }); // PostgreSQL's clock was set back
  });

  it('are checked for late rows at three ages, the last time when they become part of a day', () => {
    const checked = (from: number, to: number) =>
      checkedUsageSlices({ from: countedTo + from, to: countedTo + to }).map((range) => [
        range.from - countedTo,
        range.to - countedTo,
      ]);
    expect(checked(0, 10)).toEqual([
      [-10, 0],
      [-80, -70],
      [-900, -890],
    ]);
    expect(checked(0, 60)[0]).toEqual([-10, 0]); // the others are made now
    for (const made of [10, 60, 900, 3_600]) {
      const [, , last = []] = checked(0, made);
      expect(last).toEqual([-900, Math.min(0, made - 900)]); // as far as slices become part of a day
    }
  });

  it('are made again from now on after the clock was set back a little', () => {
    const back = (seconds: number) => () =>
      usageNotAhead({ countedTo, now: countedTo - seconds, openFrom: null }).countedTo;
    expect([back(-5)(), back(0)(), back(1)(), back(899)()]).toEqual([
      ...[countedTo, countedTo, countedTo - 10, countedTo - 900],
    ]);
    expect(back(901)).toThrow('set back by more than 15 minutes');
  });

  it('are waited for, never longer than ten seconds', () => {
    expect(untilNextUsageSlice({ countedTo, now: countedTo + 5, openFrom: null })).toBe(7_000);
    expect(untilNextUsageSlice({ countedTo, now: countedTo + 500, openFrom: null })).toBe(100);
    expect(untilNextUsageSlice({ countedTo, now: countedTo - 500, openFrom: null })).toBe(10_000);
  });
});

describe('a month', () => {
  const opened = (now: string, openFrom: string | null, countedTo = now) =>
    monthToOpen({ now: at(now), countedTo: at(countedTo), openFrom });

  it('is closed 48 hours after its end, once', () => {
    expect(opened('2026-12-02T23:59:59Z', '2026-11-01')).toBeUndefined();
    expect(opened('2026-12-03T00:00:00Z', '2026-11-01')).toBe('2026-12-01');
    expect(opened('2026-12-03T00:00:10Z', '2026-12-01')).toBeUndefined();
    expect(opened('2027-01-03T00:00:00Z', '2026-12-01')).toBe('2027-01-01');
    expect(opened('2026-11-30T00:00:00Z', null)).toBe('2026-11-01');
  });

  it('is not closed before all of it is counted, with the quarter of an hour for late rows', () => {
    expect(opened('2026-12-05T00:00:00Z', '2026-11-01', '2026-12-01T00:14:50Z')).toBeUndefined();
    expect(opened('2026-12-05T00:00:00Z', '2026-11-01', '2026-12-01T00:15:00Z')).toBe('2026-12-01');
  });

  it('stays closed when the clock goes back', () => {
    expect(opened('2026-11-15T00:00:00Z', '2026-12-01')).toBeUndefined();
  });
});
