import { LEAST_SILENT_MINUTES, silentFrom, type LearnedSilence } from '../../../src/silence/silent-from';
import { HISTORY_DAYS, UsualGaps } from '../../../src/silence/usual-gaps';
import { ZoneTime } from '../../../src/silence/zone-time';
import { SeededRandom } from '../../verify/load/random';

/*
 * Two months of a shop, of which the first four weeks are learned from. In both the clocks change: in the first months
 * they go forward, in the others back. All times in minutes.
 */
const DAY = 1_440;
const DAYS = 61;
const LEARNED_WEEKS = 4;
const ZONE = new ZoneTime('Europe/Berlin');
const HOURS = { timeZone: 'Europe/Berlin' };
const NEVER: [number, number] = [0, 0];

interface Shop {
  /** The local time of the day of the first and the last sale; null: closed. */
  hours: (day: number, random: () => number) => [number, number] | null;
  /** The time to the next sale. */
  gap: (random: () => number) => number;
}

const shopHours: Shop['hours'] = (day) => (day % 7 === 6 ? null : [9 * 60, 18 * 60]);
/** Nobody opens and closes to the minute, and Saturdays are short. */
const looseHours: Shop['hours'] = (day, random) => {
  if (day % 7 === 6) return null;
  return [9 * 60 + 10 * random(), (day % 7 === 5 ? 14 : 18) * 60 - 10 * random()];
};
const about =
  (minutes: number, jitter: number): Shop['gap'] =>
  (random) =>
    minutes * (1 + jitter * (2 * random() - 1));

/** The first day is a Monday. */
const MONTHS = { spring: '2026-02-23', autumn: '2026-08-31' };
const firstDayOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 60_000;

function sales(shop: Shop, firstDay: number, seed: number, quiet: readonly [number, number][]): number[] {
  const seeded = new SeededRandom(seed);
  const random = (): number => seeded.next();
  const found: number[] = [];
  for (let day = 0; day < DAYS; day++) {
    const hours = shop.hours(day, random);
    if (!hours) continue;
    const [opens, closes] = hours.map((local) => ZONE.utc(Math.round(firstDay + day * DAY + local))) as [
      number,
      number,
    ];
    for (let at = opens + shop.gap(random) * random(); at < closes; at += shop.gap(random)) found.push(at);
  }
  return found.filter((at) => !quiet.some(([from, to]) => at >= from && at < to));
}

interface Alarm extends LearnedSilence {
  lastHeard: number;
}

/** What is told in the time that is not only learned from, if somebody looks in each minute. What is usual is learned once a week. */
function alarms(sold: readonly number[], firstDay: number): Alarm[] {
  const minutes = [...new Set(sold.map(Math.floor))];
  const told: Alarm[] = [];
  let usual: UsualGaps | undefined;
  let learnedIn = -1;
  for (const [i, lastHeard] of minutes.entries()) {
    const next = minutes[i + 1] ?? firstDay + DAYS * DAY;
    const week = Math.floor((lastHeard - firstDay) / (7 * DAY));
    if (week < LEARNED_WEEKS || next - lastHeard <= LEAST_SILENT_MINUTES) continue;
    if (!usual || week !== learnedIn) {
      const heard = minutes.slice(0, i + 1).filter((minute) => minute >= lastHeard - HISTORY_DAYS * DAY);
      usual = new UsualGaps({ heard, isKnown: () => true }, ZONE);
      learnedIn = week;
    }
    const silence = silentFrom(usual, { lastHeard, activeHours: HOURS, until: next - 1 });
    if (silence) told.push({ ...silence, lastHeard });
  }
  return told;
}

const SHOPS: [string, number, Shop][] = [
  ['a sale every five minutes', 5, { hours: shopHours, gap: about(5, 0.3) }],
  ['a sale every five minutes, more or less', 5, { hours: looseHours, gap: about(5, 0.6) }],
  ['a sale every ten minutes', 10, { hours: looseHours, gap: about(10, 0.4) }],
  ['a sale every hour', 60, { hours: (day) => (day % 7 === 6 ? null : [8 * 60, 20 * 60]), gap: about(60, 0.4) }],
];
const SEEDS = [1, 2, 3, 4, 12];

/** Each outage is on a working day after the weeks that are learned from, in the middle of the day. */
const OUTAGES = [29, 38, 45, 57];
const outageOn = (firstDay: number, day: number): [number, number] => {
  const from = ZONE.utc(firstDay + day * DAY + 11 * 60 + 17);
  return [from, from + 5 * 60];
};

describe.each(Object.entries(MONTHS))('two months in %s', (_, date) => {
  const firstDay = firstDayOf(date);

  describe.each(SHOPS)('of a shop with %s', (_name, rhythm, shop) => {
    it.each(SEEDS)(
      'raise nothing without an outage, in nights, weekends and when the clocks change (seed %d)',
      (seed) => {
        expect(alarms(sales(shop, firstDay, seed, [NEVER]), firstDay)).toEqual([]);
      },
    );

    it.each(SEEDS)('name one outage within twice the rhythm, and nothing else (seed %d)', (seed) => {
      const day = OUTAGES[seed % OUTAGES.length] as number;
      const outage = outageOn(firstDay, day);
      const sold = sales(shop, firstDay, seed, [outage]);
      const told = alarms(sold, firstDay);
      expect(told).toHaveLength(1);
      const [{ lastHeard, silentFrom: at }] = told as [Alarm];
      expect(lastHeard).toBeGreaterThan(outage[0] - 2 * rhythm);
      expect(at - lastHeard).toBeLessThanOrEqual(Math.ceil(2 * rhythmOf(sold, outage[0]))); // looks are a minute apart
    });

    it.each(SEEDS)('raise at most one alarm for a holiday (seed %d)', (seed) => {
      const holiday: [number, number] = [firstDay + 42 * DAY, firstDay + 43 * DAY];
      const told = alarms(sales(shop, firstDay, seed, [holiday]), firstDay);
      expect(told.length).toBeLessThanOrEqual(1);
    });
  });

  it('name an outage on the weekday of an earlier holiday', () => {
    const shop: Shop = { hours: looseHours, gap: about(5, 0.3) };
    const holiday: [number, number] = [firstDay + 21 * DAY, firstDay + 22 * DAY];
    const outage = outageOn(firstDay, 35);
    const told = alarms(sales(shop, firstDay, 7, [holiday, outage]), firstDay);
    expect(told).toHaveLength(1);
    expect(told[0]?.lastHeard).toBeGreaterThan(outage[0] - 10);
  });

  it('name a shop that does not open soon after it has opened on other days', () => {
    const shop: Shop = { hours: shopHours, gap: about(5, 0.3) };
    const closed: [number, number] = [ZONE.utc(firstDay + 36 * DAY), ZONE.utc(firstDay + 36 * DAY + 12 * 60)];
    const [alarm, ...others] = alarms(sales(shop, firstDay, 3, [closed]), firstDay);
    expect(others).toEqual([]);
    expect(ZONE.local(alarm?.silentFrom ?? 0) % DAY).toBeLessThanOrEqual(9 * 60 + 30);
    expect(ZONE.local(alarm?.silentFrom ?? 0) % DAY).toBeGreaterThan(9 * 60);
  });
});

/** The 99th percentile of the gaps that began in the same hour of the week before an instant, or of all if those are few. */
function rhythmOf(sold: readonly number[], before: number): number {
  const hourOf = (at: number): number => Math.floor((ZONE.local(Math.floor(at)) % (7 * DAY)) / 60);
  const gaps = sold.flatMap((at, i) => {
    const next = sold[i + 1] ?? Infinity;
    const isUsual = next < before && next - at < 6 * 60 && at >= before - HISTORY_DAYS * DAY;
    return isUsual ? [{ hour: hourOf(at), length: next - at }] : [];
  });
  const ofHour = gaps.filter(({ hour }) => hour === hourOf(before));
  const lengths = (ofHour.length >= 20 ? ofHour : gaps).map(({ length }) => length).toSorted((a, b) => a - b);
  return lengths[Math.ceil(lengths.length * 0.99) - 1] ?? 0;
}
