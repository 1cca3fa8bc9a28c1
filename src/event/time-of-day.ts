import { elapsedMs } from './elapsed-time';

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
  /** `elapsedMs()` at that moment. */
  sinceMs: number;
  /** Half of the time that the look took: by so much the three may differ. */
  doubtMs: number;
}

/** A reading that took longer than twice this says too little, unless the difference is larger. */
const MOST_DOUBT_MS = 400;

let followed: ClockReading | undefined;
let lookAgain: () => void = () => undefined;
/** For this long the clock is not compared again: each event asks, and a jump within this time is of no account. */
const AGREES_FOR_MS = 50;
let agreedMs = -Infinity;

/**
 * The time of day in ms since 1970, for what is stored or compared with what is stored. It is that of this machine, unless
 * it differs by more than a second from PostgreSQL's clock. Then it is that of PostgreSQL, which goes on by a clock of this
 * process that is never set, so that a jump has no effect from its first moment on.
 */
export function timeOfDayMs(): number {
  const ownMs = Date.now();
  if (ownMs >= agreedMs && ownMs < agreedMs + AGREES_FOR_MS) return ownMs;
  const sharedMs = followed && sharedTimeMs(followed);
  if (sharedMs !== undefined && Math.abs(ownMs - sharedMs) <= MOST_DIFFERENCE_MS) {
    agreedMs = ownMs;
    return ownMs;
  }
  lookAgain();
  return sharedMs === undefined ? ownMs : Math.round(sharedMs);
}

const sharedTimeMs = ({ atMs, sinceMs }: ClockReading): number => atMs + elapsedMs() - sinceMs;

export const timeOfDay = (): Date => new Date(timeOfDayMs());

/**
 * @param look called for each time of day while PostgreSQL's clock is not known or differs: the machine may also have
 * slept, and the reading is out of date. It decides how often it looks.
 */
export function lookAtClockBy(look: () => void): void {
  lookAgain = look;
}

/**
 * Follows a reading. One that is much in doubt changes something only if it shows that the time of day is wrong by more
 * than that doubt; the clock of this machine is then preferred, unless the reading shows that it is wrong as well.
 */
export function followClock(reading: ClockReading): void {
  agreedMs = -Infinity;
  const differs = (timeMs: number): boolean => Math.abs(timeMs - sharedTimeMs(reading)) > reading.doubtMs;
  if (reading.doubtMs <= MOST_DOUBT_MS) followed = reading;
  else if (differs(followed ? sharedTimeMs(followed) : Date.now()))
    followed = differs(Date.now()) ? reading : undefined;
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
