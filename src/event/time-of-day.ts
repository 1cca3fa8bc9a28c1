/** A smaller difference of two clocks has no effect that anybody would notice. */
export const MOST_DIFFERENCE_MS = 1_000;

/** By how much the clocks of two processes may differ that make ids: each by a second, and what a reading is in doubt. */
export const CLOCK_TOLERANCE_MS = 5_000;

/** One look at PostgreSQL's clock. Times are in ms. */
export interface ClockReading {
  /** PostgreSQL's clock, since 1970. */
  atMs: number;
  /** The clock of this machine at that moment, since 1970. */
  ownMs: number;
  /** `performance.now()` at that moment. */
  sinceMs: number;
  /** Half of the time that the look took: by so much the three may differ. */
  doubtMs: number;
}

/** A reading that took longer than twice this says too little, unless the difference is larger. */
const MOST_DOUBT_MS = 400;

let followed: ClockReading | undefined;
let lookAgain: () => void = () => undefined;

/**
 * The time of day in ms since 1970, for what is stored or compared with what is stored. It is that of this machine, unless
 * it differs by more than a second from PostgreSQL's clock. Then it is that of PostgreSQL, which goes on by the monotonic
 * clock of this process, so that a jump has no effect from its first moment on.
 */
export function timeOfDayMs(): number {
  const ownMs = Date.now();
  const sharedMs = followed && sharedTimeMs(followed);
  if (sharedMs !== undefined && Math.abs(ownMs - sharedMs) <= MOST_DIFFERENCE_MS) return ownMs;
  lookAgain();
  return sharedMs === undefined ? ownMs : Math.round(sharedMs);
}

const sharedTimeMs = ({ atMs, sinceMs }: ClockReading): number => atMs + performance.now() - sinceMs;

export const timeOfDay = (): Date => new Date(timeOfDayMs());

/**
 * @param look called for each time of day while PostgreSQL's clock is not known or differs: the machine may also have
 * slept, and the reading is out of date. It decides how often it looks.
 */
export function lookAtClockBy(look: () => void): void {
  lookAgain = look;
}

/**
 * Follows a reading. One that is much in doubt is followed only if it shows that the time of day is wrong by more than
 * that doubt.
 */
export function followClock(reading: ClockReading): void {
  const presentMs = followed ? sharedTimeMs(followed) : reading.ownMs + performance.now() - reading.sinceMs;
  const isWrong = Math.abs(presentMs - sharedTimeMs(reading)) > reading.doubtMs;
  if (reading.doubtMs <= MOST_DOUBT_MS || isWrong) followed = reading;
}

/** By how many ms the clock of this machine is at least ahead of PostgreSQL's; less than 0 if it is behind. */
export function aheadMs({ atMs, ownMs, doubtMs }: ClockReading): number {
  const differenceMs = ownMs - atMs;
  return Math.sign(differenceMs) * Math.max(0, Math.abs(differenceMs) - doubtMs);
}

/** Says what is wrong with such a difference; undefined if nothing is. */
export function clockFault(differenceMs: number): string | undefined {
  if (Math.abs(differenceMs) <= MOST_DIFFERENCE_MS) return undefined;
  const seconds = Math.round(Math.abs(differenceMs) / 1_000);
  const side = differenceMs > 0 ? 'ahead of' : 'behind';
  return `the clock of this machine is ${seconds} s ${side} PostgreSQL's: run NTP on both machines.`;
}
