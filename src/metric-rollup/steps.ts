/** The length of a slice, the finest step of the roll-up. */
export const SLICE_SECONDS = 10;
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;
export const DAY_SECONDS = 86_400;

/** Rows that are committed up to this long after their time are counted. Their slices are made again. */
export const LATE_SECONDS = 15 * MINUTE_SECONDS;
/** What it takes to make a slice again is kept for longer. */
export const CHECKED_SECONDS = LATE_SECONDS + 5 * MINUTE_SECONDS;

/** Slices become minutes after two hours, and minutes become hours after two days. Hours are kept for 90 days. */
export const COARSER = [
  { from: SLICE_SECONDS, to: MINUTE_SECONDS, afterSeconds: 2 * HOUR_SECONDS },
  { from: MINUTE_SECONDS, to: HOUR_SECONDS, afterSeconds: 2 * DAY_SECONDS },
] as const;
export const KEPT_SECONDS = 90 * DAY_SECONDS;
/** Steps of which there are sums as well, from the present on. Each is a multiple of the one before. */
export const SUMMED_SECONDS = [HOUR_SECONDS, 6 * HOUR_SECONDS, DAY_SECONDS] as const;

/** Steps that are chosen if none is asked for. */
const USUAL_STEPS = [10, 60, 300, 900, HOUR_SECONDS, 6 * HOUR_SECONDS, DAY_SECONDS];
const USUAL_POINTS = 360;
/** Points of a series in one response. */
export const MOST_POINTS = 1_000;
/** How old the start of a range may be: what the roll-up keeps, and a day that has begun at each end. */
export const OLDEST_FROM_SECONDS = KEPT_SECONDS + 2 * DAY_SECONDS;
/** How far the end of a range may be in the future: a day that has begun, in any time zone. */
export const LATEST_TO_SECONDS = DAY_SECONDS;

export interface MetricRange {
  fromMs: number;
  toMs: number;
}

export interface SteppedRange extends MetricRange {
  stepSeconds: number;
}

/** The longest sums that a step consists of, or undefined if there are none. */
export const summedStep = (stepSeconds: number): number | undefined =>
  SUMMED_SECONDS.findLast((seconds) => stepSeconds % seconds === 0);

/** The finest step that is kept for the whole of a range. */
export function finestStep(fromMs: number, nowMs: number): number {
  const ageSeconds = (nowMs - fromMs) / 1_000;
  return COARSER.reduce<number>((step, { to, afterSeconds }) => (ageSeconds > afterSeconds ? to : step), SLICE_SECONDS);
}

/**
 * Widens a range to whole steps. The step is at least the finest one that is kept and a multiple of it. Returns the
 * shortest step that would do, if the range has more than MOST_POINTS steps.
 */
export function inSteps(
  { fromMs, toMs }: MetricRange,
  asked: number | undefined,
  nowMs: number,
): SteppedRange | { needed: number } {
  const finest = finestStep(fromMs, nowMs);
  const usual = USUAL_STEPS.find((step) => step >= finest && (toMs - fromMs) / 1_000 / step <= USUAL_POINTS);
  const stepSeconds = Math.ceil((asked ?? usual ?? DAY_SECONDS) / finest) * finest;
  const stepMs = stepSeconds * 1_000;
  const range = { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs: Math.ceil(toMs / stepMs) * stepMs };
  if ((range.toMs - range.fromMs) / stepMs <= MOST_POINTS) return { ...range, stepSeconds };
  return { needed: Math.ceil((toMs - fromMs) / 1_000 / (MOST_POINTS - 1) / finest) * finest };
}

/** @param seconds since 1970 */
export const instantOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();
