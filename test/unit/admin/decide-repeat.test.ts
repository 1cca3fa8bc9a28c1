import { decideRepeat, type FailedRun } from '../../../src/admin/endpoint/decide-repeat';

const run = (changes: Partial<FailedRun>): FailedRun => ({
  failure: 'transient',
  runs: 1,
  elapsedMs: 10,
  commitUnknown: false,
  random: 1,
  ...changes,
});

describe('a transaction of an admin action that failed', () => {
  it('runs again after a deadlock or a lost connection, with growing waits and jitter', () => {
    expect([1, 2, 3].map((runs) => decideRepeat(run({ runs })))).toEqual([50, 100, 200]);
    expect(decideRepeat(run({ failure: 'unavailable' }))).toBe(50);
    expect(decideRepeat(run({ random: 0 }))).toBe(25);
  });

  it.each(['data', 'unexpected'] as const)('does not run again after a failure of kind %s', (failure) => {
    expect(decideRepeat(run({ failure }))).toBeUndefined();
    expect(decideRepeat(run({ failure, commitUnknown: true }))).toBeUndefined();
  });

  it('runs at most four times, and not again after five seconds', () => {
    expect(decideRepeat(run({ runs: 4 }))).toBeUndefined();
    expect(decideRepeat(run({ elapsedMs: 5_000 }))).toBeUndefined();
  });

  it('runs for up to 15 seconds to find out whether it has committed', () => {
    expect(decideRepeat(run({ runs: 40, elapsedMs: 14_000, commitUnknown: true }))).toBe(1_000);
    expect(decideRepeat(run({ elapsedMs: 15_000, commitUnknown: true }))).toBeUndefined();
  });
});
