/** A point in time that a producer sent. */
export interface Instant {
  /** RFC 3339 in UTC with milliseconds, as stored and returned. Finer digits are truncated. */
  utc: string;
  /** The same with finer digits, without trailing zeros, so that equal instants have equal texts. Used for hashing. */
  exact: string;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const EARLIEST = new Date('0001-01-01T00:00:00Z').getTime();
const LENGTH_WITHOUT_MS = '2026-01-31T12:00:00Z'.length;
const MS_OF_400_YEARS = 146_097 * 86_400_000;
const LATEST = new Date('9999-12-31T23:59:59.999Z').getTime();

/**
 * Parses an RFC 3339 date-time with any offset. Returns undefined for impossible dates, for second 60 (PostgreSQL would
 * move it to the next day), and for years outside 0001 to 9999 in UTC.
 */
export function parseInstant(text: string): Instant | undefined {
  const stored = text.length === LENGTH_WITHOUT_MS ? `${text.slice(0, -1)}.000Z` : text;
  if (text.endsWith('Z') && isStoredInstant(stored)) return { utc: stored, exact: stored }; // most instants
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;

  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000 * (sign === '-' ? -1 : 1);
  const wholeSeconds =
    midnightMs(Number(year), Number(month), Number(day)) +
    (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000 -
    offsetMs;
  const ms = wholeSeconds + Number(fraction.padEnd(3, '0').slice(0, 3));
  if (ms < EARLIEST || ms > LATEST) return undefined;
  const utc = new Date(ms).toISOString();
  const finer = fraction.slice(3).replace(/0+$/, '');
  return { utc, exact: finer ? `${utc.slice(0, -1)}${finer}Z` : utc };
}

/** Makes a Date.toISOString that remembers its last text. A busy process asks for the same time again and again. */
export function rememberingUtcText(): (ms: number) => string {
  let lastMs = Number.NaN;
  let lastText = '';
  return (ms) => {
    if (ms !== lastMs) {
      lastText = new Date(ms).toISOString();
      lastMs = ms;
    }
    return lastText;
  };
}

/** Returns Date.toISOString for the time of the process. */
export const utcText = rememberingUtcText();

const STORED = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d{3}Z$/;

/** True for an instant as StreamForge writes it: RFC 3339 in UTC with milliseconds. Each message of a worker has one. */
export function isStoredInstant(text: string): boolean {
  if (!STORED.test(text)) return false;
  const day = text.slice(8, 10);
  return day <= '28' || Number(day) <= daysOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)));
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
}

/** Date.UTC takes a year before 100 for one after 1900. The calendar repeats itself every 400 years. */
function midnightMs(year: number, month: number, day: number): number {
  return year < 100 ? Date.UTC(year + 400, month - 1, day) - MS_OF_400_YEARS : Date.UTC(year, month - 1, day);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
