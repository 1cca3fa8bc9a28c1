import { isRestCounted } from '../../../src/admin/usage/read-usage';

const at = (instant: string): number => Date.parse(instant) / 1_000;

describe('what the chore has not counted yet', () => {
  const countedTo = at('2026-11-30T00:00:00Z');
  const isCounted = (behindSeconds: number, lastDay: string | null = null) =>
    isRestCounted({ countedTo, now: countedTo + behindSeconds, openFrom: null }, lastDay);

  it.each([
    [12, null, true],
    [60, null, true],
    [61, null, false],
    [3_600, null, false],
    [12, '2026-11-30', true],
    [12, '2026-12-01', true],
    [12, '2026-11-29', false],
    [-5, null, true],
  ])('after %s s, up to %s, is counted by the request: %s', (behindSeconds, lastDay, expected) => {
    expect(isCounted(behindSeconds, lastDay)).toBe(expected);
  });
});
