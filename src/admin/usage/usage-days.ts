import { parseInstant } from '../../event/instant';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 24 * 3_600_000;
/** PostgreSQL reads no year 0. */
const FIRST_DAY_MS = Date.parse('0001-01-01T00:00:00Z');

/** The start of a day, or an instant, in ms since 1970. Returns undefined for any other text. */
export function firstMsOf(text: string): number | undefined {
  const instant = parseInstant(DAY.test(text) ? `${text}T00:00:00Z` : text);
  return instant && Date.parse(instant.utc);
}

/** The last millisecond of a day, or an instant. */
export function lastMsOf(text: string): number | undefined {
  const first = firstMsOf(text);
  return first !== undefined && DAY.test(text) ? first + DAY_MS - 1 : first;
}

/** The first UTC day of a range that starts at `from`. */
export function firstDayOf(from: string): string {
  return dayAt(firstMsOf(from) ?? NaN);
}

/** The last UTC day of a range. A day is inclusive. An instant is exclusive, as in the filters of events. */
export function lastDayOf(to: string): string {
  return DAY.test(to) ? to : dayAt((firstMsOf(to) ?? NaN) - 1);
}

function dayAt(ms: number): string {
  return new Date(Math.max(ms, FIRST_DAY_MS)).toISOString().slice(0, 10);
}
