import { retryAfterMs } from '../../../src/destinations/retry-after';

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-01-31T12:00:00Z');

  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['Saturday, 31-Jan-26 12:00:05 GMT', 5_000],
  ])('%s is %i ms', (text, ms) => expect(retryAfterMs(text, nowMs)).toBe(ms));

  it.each(['', '-1', '1.5', 'soon', '2026-01-31', 'Mon, 99 Foo', '9999999999999', undefined])('%s is nothing', (text) =>
    expect(retryAfterMs(text, nowMs)).toBeUndefined(),
  );
});
