import { zoneTime } from './zone-time';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Hours of the week, in the time of a zone: when something is expected of a producer, or when operators are not to be disturbed. */
export interface ActiveHours {
  /** IANA name. */
  timeZone: string;
  /** Left out: every day. Hours across midnight are of the day on which they begin. */
  weekdays?: readonly Weekday[];
  /** `HH:MM` of the local day. Left out: 00:00. */
  from?: string;
  /** `HH:MM`, up to 24:00. Left out: 24:00. Not after `from`: of the next day. */
  to?: string;
}

const DAY_MINUTES = 1_440;
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 3;
const MINUTE_MS = 60_000;
/** Days that are looked back over at most, should a rule have few hours and a long expectation. */
const MOST_DAYS = 800;
/** More than a week: hours that last for so long are always. */
const MOST_JOINED_DAYS = 8;

/** @param time `HH:MM` */
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/**
 * Returns how much of a time is in active hours, in ms. It looks back from its end, and no further than it takes to have
 * more than `enoughMs`.
 */
export function activeMs(
  hours: ActiveHours | null,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  enoughMs = Infinity,
): number {
  if (hours === null) return Math.max(0, toMs - fromMs);
  const zone = zoneTime(hours.timeZone);
  const today = dayOf(zone.local(Math.floor(toMs / MINUTE_MS)));
  let sum = 0;
  for (let day = today; day > today - MOST_DAYS && sum <= enoughMs; day--) {
    const { start, end } = hoursOfDay(hours, day);
    const endMs = zone.utc(end) * MINUTE_MS;
    if (endMs <= fromMs) break;
    if (!isOf(hours, day)) continue;
    sum += Math.max(0, Math.min(toMs, endMs) - Math.max(fromMs, zone.utc(start) * MINUTE_MS));
  }
  return sum;
}

/** True if a minute since 1970, of UTC, is in active hours. */
export function isActive(hours: ActiveHours | null, minute: number): boolean {
  if (hours === null || isAlways(hours)) return true;
  const local = zoneTime(hours.timeZone).local(minute);
  const today = dayOf(local);
  return [today, today - 1].some((day) => {
    const { start, end } = hoursOfDay(hours, day);
    return isOf(hours, day) && local >= start && local < end;
  });
}

/**
 * When active hours end that a minute is in. Hours that follow one another without a break, as those of two whole days, end
 * with the last of them.
 * @param minute since 1970, of UTC
 * @returns the same minute if it is not in active hours, undefined if they do not end within MOST_JOINED_DAYS
 */
export function activeUntil(hours: ActiveHours, minute: number): number | undefined {
  const zone = zoneTime(hours.timeZone);
  const most = minute + MOST_JOINED_DAYS * DAY_MINUTES;
  let until = minute;
  while (isActive(hours, until)) {
    if (until > most) return undefined;
    const local = zone.local(until);
    const ends = [dayOf(local), dayOf(local) - 1]
      .filter((day) => isOf(hours, day))
      .map((day) => hoursOfDay(hours, day))
      .filter(({ start, end }) => local >= start && local < end)
      .map(({ end }) => zone.utc(end));
    // Where the clocks show an hour twice, the end may be behind us.
    until = Math.max(until + 1, ...ends);
  }
  return until;
}

const dayOf = (local: number): number => Math.floor(local / DAY_MINUTES);

const isAlways = ({ weekdays, from, to }: ActiveHours): boolean =>
  weekdays === undefined && from === undefined && to === undefined;

const isOf = ({ weekdays }: ActiveHours, day: number): boolean =>
  weekdays === undefined || weekdays.includes(WEEKDAYS[(day + FIRST_WEEKDAY) % 7] as Weekday);

/** Local minutes. */
function hoursOfDay({ from = '00:00', to = '24:00' }: ActiveHours, day: number): { start: number; end: number } {
  const [first, last] = [minutesOf(from), minutesOf(to)];
  const start = day * DAY_MINUTES;
  return { start: start + first, end: start + last + (last > first ? 0 : DAY_MINUTES) };
}
