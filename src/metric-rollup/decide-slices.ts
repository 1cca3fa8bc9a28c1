import type { RollupProgress, Slices } from './rollup.queries';
import { LATE_SECONDS, SLICE_SECONDS } from './steps';

/** A slice is made this long after its end, so that few transactions of it are still open. */
const SETTLING_SECONDS = 2;
/** A slice is checked for rows that were committed late when so many others have been made after it. */
const CHECKED_AT = [1, 8, LATE_SECONDS / SLICE_SECONDS + 2];

/** After PostgreSQL's clock was set back, the roll-up goes on from now, and makes again what it made of the future. */
export function notAhead(progress: RollupProgress): RollupProgress {
  const begun = Math.floor(progress.now / SLICE_SECONDS) * SLICE_SECONDS;
  return { ...progress, rolledTo: Math.min(progress.rolledTo, begun) };
}

/** Returns the slices that are over and not made yet, at most `most`. */
export function dueSlices({ rolledTo, now }: RollupProgress, most: number): Slices {
  const over = Math.floor((now - SETTLING_SECONDS) / SLICE_SECONDS) * SLICE_SECONDS;
  return { from: rolledTo, to: Math.max(rolledTo, Math.min(over, rolledTo + most * SLICE_SECONDS)) };
}

/**
 * Returns the slices to check for rows that were committed late, after the roll-up got on from `before` to `after`: each
 * slice at three ages, so that a row is found when its slice is about ten times as old as when the row was committed, or a
 * quarter of an hour. Each check reads all rows of the slice. After a run that failed, only the youngest are checked. Slices are in lists of at most `atOnce`.
 */
export function checkedSlices(
  before: RollupProgress,
  after: RollupProgress,
  { isAfterFailure, atOnce }: { isAfterFailure: boolean; atOnce: number },
): number[][] {
  const made = (after.rolledTo - before.rolledTo) / SLICE_SECONDS;
  const ages = isAfterFailure ? CHECKED_AT.slice(0, 1) : CHECKED_AT;
  const slices = ages.flatMap((age) =>
    Array.from({ length: made }, (_, i) => before.rolledTo + (i - age) * SLICE_SECONDS),
  );
  return inLists(
    [...new Set(slices)].toSorted((a, b) => a - b),
    atOnce,
  );
}

/** Returns slices in lists of at most `atOnce`. */
export const inLists = (slices: readonly number[], atOnce: number): number[][] =>
  Array.from({ length: Math.ceil(slices.length / atOnce) }, (_, i) => slices.slice(i * atOnce, (i + 1) * atOnce));

/** The wait until the next slice is due, in ms. */
export function untilNextSlice({ rolledTo, now }: RollupProgress): number {
  const dueAt = rolledTo + SLICE_SECONDS + SETTLING_SECONDS;
  return Math.min(Math.max(dueAt - now, 0.1), SLICE_SECONDS) * 1_000;
}
