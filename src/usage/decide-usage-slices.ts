/** The length of a slice. */
export const USAGE_SLICE_SECONDS = 10;
/** A slice is made this long after its end, so that few transactions of it are still open. */
const SETTLING_SECONDS = 2;
/** Rows that are committed up to this long after their time are counted. Their slices are made again. */
export const USAGE_LATE_SECONDS = 15 * 60;
/**
 * A slice is checked for rows that were committed late when so many others are made after it: while it is young, and when it
 * is added to the sum of its day.
 */
const CHECKED_AT = [1, 8, USAGE_LATE_SECONDS / USAGE_SLICE_SECONDS];
/** A month is closed this long after its end (UTC). Until then, what is retried still counts in it. */
const CLOSE_AFTER_SECONDS = 48 * 3_600;

export interface UsageProgress {
  /** Slices are made up to here, in seconds since 1970. */
  countedTo: number;
  /** PostgreSQL's clock, in seconds since 1970. */
  now: number;
  /** The first day that is open, as YYYY-MM-DD; null before a month was closed. */
  openFrom: string | null;
}

/** Whole slices, in seconds since 1970. */
export interface UsageSlices {
  from: number;
  to: number;
}

/**
 * After PostgreSQL's clock was set back a little, counting goes on from now and makes slices again that are not part of a day
 * yet.
 * @throws Error if it was set back by more, until it gets there: what is accepted meanwhile would count twice
 */
export function usageNotAhead(progress: UsageProgress): UsageProgress {
  const { countedTo, now } = progress;
  const begun = Math.floor(now / USAGE_SLICE_SECONDS) * USAGE_SLICE_SECONDS;
  if (countedTo <= begun) return progress;
  if (countedTo - USAGE_LATE_SECONDS <= begun) return { ...progress, countedTo: begun };
  const until = new Date(countedTo * 1_000).toISOString();
  throw new Error(`usage is counted up to ${until}, but PostgreSQL's clock was set back by more than 15 minutes since`);
}

/** Returns the slices that are over and not made yet, at most `most`. */
export function dueUsageSlices({ countedTo, now }: UsageProgress, most: number): UsageSlices {
  const over = Math.floor((now - SETTLING_SECONDS) / USAGE_SLICE_SECONDS) * USAGE_SLICE_SECONDS;
  return { from: countedTo, to: Math.max(countedTo, Math.min(over, countedTo + most * USAGE_SLICE_SECONDS)) };
}

/**
 * Returns the slices to check for rows that were committed late, before these are made. Older ones are sums of days already.
 * The ranges overlap if many slices are made.
 */
export function checkedUsageSlices({ from, to }: UsageSlices): UsageSlices[] {
  return CHECKED_AT.map((age) => age * USAGE_SLICE_SECONDS).map((seconds) => ({
    from: from - seconds,
    to: Math.min(from, to - seconds),
  }));
}

/** The wait until the next slice is due, in ms. */
export function untilNextUsageSlice({ countedTo, now }: UsageProgress): number {
  const dueAt = countedTo + USAGE_SLICE_SECONDS + SETTLING_SECONDS;
  return Math.min(Math.max(dueAt - now, 0.1), USAGE_SLICE_SECONDS) * 1_000;
}

/**
 * Returns the day from which on figures may change from now on, if that is a new one: the first of the month, once
 * CLOSE_AFTER_SECONDS of it have passed and everything before it is counted. A month that was closed stays closed, even if
 * the clock goes back.
 */
export function monthToOpen({ countedTo, now, openFrom }: UsageProgress): string | undefined {
  const day = new Date((now - CLOSE_AFTER_SECONDS) * 1_000).toISOString();
  const first = `${day.slice(0, 7)}-01`;
  if (openFrom !== null && first <= openFrom) return undefined;
  const isCounted = countedTo - USAGE_LATE_SECONDS >= Date.parse(first) / 1_000;
  return isCounted ? first : undefined;
}
