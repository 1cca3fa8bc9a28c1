import { activeMs, isActive, type ActiveHours } from '../../../src/silence/active-hours';
import { isTimeZone, ZoneTime } from '../../../src/silence/zone-time';

const HOUR_MS = 3_600_000;
const between = (from: string, to: string) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) });
const SHOP: ActiveHours = {
  timeZone: 'Europe/Berlin',
  weekdays: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  from: '09:00',
  to: '18:00',
};
const BAR: ActiveHours = { timeZone: 'Europe/Berlin', weekdays: ['fri', 'sat'], from: '20:00', to: '04:00' };

describe('the time within active hours', () => {
  it.each([
    ['all of it without active hours', null, '2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z', 24],
    ['a night', SHOP, '2026-06-01T15:58:00Z', '2026-06-02T07:00:00Z', 2 / 60],
    ['a Sunday', SHOP, '2026-06-06T16:00:00Z', '2026-06-08T07:30:00Z', 0.5],
    ['a week', SHOP, '2026-06-01T00:00:00Z', '2026-06-08T00:00:00Z', 54],
    ['a part of a day', SHOP, '2026-06-01T10:00:00Z', '2026-06-01T11:15:00Z', 1.25],
    ['winter, an hour later in UTC', SHOP, '2026-01-05T07:00:00Z', '2026-01-05T09:00:00Z', 1],
    [
      'hours across midnight are of the day on which they begin',
      BAR,
      '2026-06-07T00:00:00Z',
      '2026-06-08T12:00:00Z',
      2,
    ],
    ['neither Thursday night', BAR, '2026-06-04T17:00:00Z', '2026-06-05T12:00:00Z', 0],
    ['the night in which an hour is left out', BAR, '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z', 7],
    ['the night in which an hour comes twice', BAR, '2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z', 9],
    ['whole days', { timeZone: 'Europe/Berlin' }, '2026-03-28T00:00:00Z', '2026-03-30T00:00:00Z', 48],
    [
      'Sunday only, with 23 hours',
      { timeZone: 'Europe/Berlin', weekdays: ['sun'] },
      '2026-03-28T00:00:00Z',
      '2026-03-31T00:00:00Z',
      23,
    ],
    [
      'a zone beyond a whole hour',
      { timeZone: 'Asia/Kathmandu', from: '09:00', to: '10:00' },
      '2026-06-01T03:00:00Z',
      '2026-06-01T03:30:00Z',
      0.25,
    ],
    ['nothing if it is over before it begins', SHOP, '2026-06-01T11:00:00Z', '2026-06-01T10:00:00Z', 0],
  ] as [string, ActiveHours | null, string, string, number][])('is %s', (_, hours, from, to, expected) => {
    expect(activeMs(hours, between(from, to)) / HOUR_MS).toBeCloseTo(expected, 6);
  });

  it('is no more than is asked for, by much', () => {
    const enough = activeMs(SHOP, between('2020-01-01T00:00:00Z', '2026-06-03T12:00:00Z'), HOUR_MS);
    expect(enough).toBeGreaterThan(HOUR_MS);
    expect(enough).toBeLessThan(24 * HOUR_MS);
  });

  it('agrees with the minutes that are active', () => {
    for (const hours of [SHOP, BAR]) {
      const from = Date.parse('2026-03-27T00:00:00Z') / 60_000;
      let minutes = 0;
      for (let minute = from; minute < from + 5 * 1_440; minute++) if (isActive(hours, minute)) minutes++;
      expect(minutes * 60_000).toBe(activeMs(hours, { fromMs: from * 60_000, toMs: (from + 5 * 1_440) * 60_000 }));
    }
  });
});

describe('the time of a time zone', () => {
  it.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', 'UTC'])(
    'goes to UTC and back in %s',
    (name) => {
      const zone = new ZoneTime(name);
      const from = Date.parse('2026-01-01T00:00:00Z') / 60_000;
      let twice = 0;
      let wrong = 0;
      for (let minute = from; minute < from + 365 * 1_440; minute += 15) {
        const there = zone.utc(zone.local(minute));
        if (there !== minute) twice++;
        if (zone.local(there) !== zone.local(minute)) wrong++;
      }
      expect(wrong).toBe(0);
      expect(twice).toBeLessThanOrEqual(4);
    },
  );

  it('counts a minute that the clocks leave out as an hour later', () => {
    const zone = new ZoneTime('Europe/Berlin');
    const leftOut = Date.parse('2026-03-29T02:30:00Z') / 60_000;
    expect(zone.local(zone.utc(leftOut)) - leftOut).toBe(60);
  });

  it.each([
    ['Europe/Berlin', true],
    ['UTC', true],
    ['Europe/Nowhere', false],
    ['+02:00', false],
    ['', false],
  ])('%j: is a time zone is %s', (name, expected) => {
    expect(isTimeZone(name)).toBe(expected);
  });
});
