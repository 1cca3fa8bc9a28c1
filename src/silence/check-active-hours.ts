import { WEEKDAYS } from './active-hours';
import { isTimeZone } from './zone-time';

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const NAMES = ['timeZone', 'weekdays', 'from', 'to'];

/** Says what is wrong with active hours that somebody has sent; undefined if nothing is. */
export function faultOfActiveHours(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object with a timeZone';
  const unknown = Object.keys(value).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) return `has only ${NAMES.join(', ')}`;
  const { timeZone, weekdays, from, to } = value as Record<string, unknown>;
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    return 'needs a timeZone of the IANA database, such as Europe/Berlin';
  }
  if (weekdays !== undefined && !areWeekdays(weekdays)) {
    return `has as weekdays a list of different ones of ${WEEKDAYS.join(', ')}, or leaves them out`;
  }
  if (from !== undefined && !isTime(from)) return 'has as from a time such as 09:00';
  if (to !== undefined && to !== '24:00' && !isTime(to)) return 'has as to a time such as 18:00 or 24:00';
  return undefined;
}

const isTime = (value: unknown): boolean => typeof value === 'string' && TIME.test(value);

function areWeekdays(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size < value.length) return false;
  return value.every((day) => (WEEKDAYS as readonly unknown[]).includes(day));
}
