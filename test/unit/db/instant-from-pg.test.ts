import { instantFromPg } from '../../../src/db/pool';

it.each([
  ['2026-01-31 12:00:00+00', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31 12:00:00.1+00', '2026-01-31T12:00:00.100Z'],
  ['2026-01-31 12:00:00.12+00', '2026-01-31T12:00:00.120Z'],
  ['2026-01-31 23:59:59.999999+00', '2026-01-31T23:59:59.999Z'],
])('converts the timestamptz text %s to %s, truncated to milliseconds', (text, instant) => {
  expect(instantFromPg(text)).toBe(instant);
});
