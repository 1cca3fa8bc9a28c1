const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const QUARTER_MINUTES = 15;
/** Days of a zone whose offsets are kept; a history has about sixty. */
const MOST_DAYS = 1_000;

const FIELDS: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
};

/** True for a name that Intl knows, as `Europe/Berlin` or `UTC`. An offset, as `+02:00`, is none: it does not follow the clocks. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false; // a RangeError: Intl has no other way to say that it does not know the name
  }
}

/**
 * The local time of a time zone, in minutes. A local minute is counted as if it were of UTC, so local minutes can be compared
 * and divided into days and weeks. Days without a change of the clocks cost two look-ups, once.
 */
export class ZoneTime {
  private readonly format: Intl.DateTimeFormat;
  /** Day of UTC → its offset, or undefined if the clocks change on it. */
  private readonly offsets = new Map<number, number | undefined>();
  private readonly quarters = new Map<number, number>();

  constructor(timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, ...FIELDS });
  }

  /** @param minute since 1970, of UTC */
  local(minute: number): number {
    return minute + this.offset(minute);
  }

  /** The minute of UTC at which the clocks show a local minute. One that they leave out counts as an hour later, one that they show twice as the first. */
  utc(local: number): number {
    const before = this.offset(local - DAY_MINUTES);
    const early = local - before;
    if (this.offset(early) === before) return early;
    const late = local - this.offset(early);
    return this.local(late) === local ? late : early;
  }

  private offset(minute: number): number {
    const day = Math.floor(minute / DAY_MINUTES);
    if (!this.offsets.has(day)) {
      if (this.offsets.size >= MOST_DAYS) this.offsets.clear();
      const first = this.offsetAt(day * DAY_MINUTES);
      this.offsets.set(day, first === this.offsetAt((day + 1) * DAY_MINUTES) ? first : undefined);
    }
    return this.offsets.get(day) ?? this.offsetOfQuarter(Math.floor(minute / QUARTER_MINUTES));
  }

  private offsetOfQuarter(quarter: number): number {
    const known = this.quarters.get(quarter);
    if (known !== undefined) return known;
    if (this.quarters.size >= MOST_DAYS) this.quarters.clear();
    const offset = this.offsetAt(quarter * QUARTER_MINUTES);
    this.quarters.set(quarter, offset);
    return offset;
  }

  private offsetAt(minute: number): number {
    const parts = new Map(
      this.format.formatToParts(minute * MINUTE_MS).map(({ type, value }) => [type, Number(value)]),
    );
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
    return Math.round(local / MINUTE_MS) - minute;
  }
}

/** Zones that rules name. There are some hundreds; one that nobody uses any more stays until the process ends. */
const ZONES = new Map<string, ZoneTime>();
const MOST_ZONES = 1_000;

export function zoneTime(timeZone: string): ZoneTime {
  const known = ZONES.get(timeZone);
  if (known) return known;
  if (ZONES.size >= MOST_ZONES) ZONES.clear();
  const zone = new ZoneTime(timeZone);
  ZONES.set(timeZone, zone);
  return zone;
}
