import type { RollupProgress, Slices } from './rollup.queries';
import { CHECKED_SECONDS, SLICE_SECONDS } from './steps';

/** A slice is made this long after its end, so that few transactions of it are still open. */
const SETTLING_SECONDS = 2;
const MINUTE_SECONDS = 60;
const OLDER_MINUTES = CHECKED_SECONDS / MINUTE_SECONDS - 1;

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
 * Returns the slices to check for rows that were committed late: those of the last minute, and of one older minute in turn.
 * The turn follows from the progress, whichever publisher rolls up, and comes to each slice within four minutes. After a
 * run that failed, only the last minute is checked.
 */
export function checkedSlices({ rolledTo }: RollupProgress, isAfterFailure: boolean): Slices[] {
  const last = { from: rolledTo - MINUTE_SECONDS, to: rolledTo };
  if (isAfterFailure) return [last];
  const turn = (rolledTo / SLICE_SECONDS) % OLDER_MINUTES;
  const to = last.from - turn * MINUTE_SECONDS;
  return [last, { from: to - MINUTE_SECONDS, to }];
}

/** The wait until the next slice is due, in ms. */
export function untilNextSlice({ rolledTo, now }: RollupProgress): number {
  const dueAt = rolledTo + SLICE_SECONDS + SETTLING_SECONDS;
  return Math.min(Math.max(dueAt - now, 0.1), SLICE_SECONDS) * 1_000;
}
