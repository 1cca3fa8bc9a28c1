import type { RollupProgress, Slices } from './rollup.queries';
import { LATE_SECONDS, SLICE_SECONDS } from './steps';

/** A slice is made this long after its end, so that few transactions of it are still open. */
const SETTLING_SECONDS = 2;
/** Slices younger than this are checked for late rows in each run, older ones once a minute. */
const OFTEN_SECONDS = 60;

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

/** Returns the slices to check for rows that were committed late. */
export function checkedSlices({ rolledTo }: RollupProgress): Slices {
  const isMinute = rolledTo % OFTEN_SECONDS === 0;
  return { from: rolledTo - (isMinute ? LATE_SECONDS : OFTEN_SECONDS), to: rolledTo };
}

/** The wait until the next slice is due, in ms. */
export function untilNextSlice({ rolledTo, now }: RollupProgress): number {
  const dueAt = rolledTo + SLICE_SECONDS + SETTLING_SECONDS;
  return Math.min(Math.max(dueAt - now, 0.1), SLICE_SECONDS) * 1_000;
}

/** Splits slices into parts of at most `most`. */
export function partsOf({ from, to }: Slices, most: number): Slices[] {
  const parts: Slices[] = [];
  for (let at = from; at < to; at += most * SLICE_SECONDS) {
    parts.push({ from: at, to: Math.min(to, at + most * SLICE_SECONDS) });
  }
  return parts;
}
