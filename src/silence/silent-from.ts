import { isActive, type ActiveHours } from './active-hours';
import { WEEK_MINUTES, type UsualGaps } from './usual-gaps';

/** No silence is told earlier, however often a producer sends. */
export const LEAST_SILENT_MINUTES = 5;
/** How far a silence is followed. Whoever usually is silent for longer is not judged. */
const MOST_SILENT_MINUTES = 2 * WEEK_MINUTES;
export const WEEKS_NEEDED = 4;

/** In minutes. */
export interface LearnedSilence {
  /** From this minute since 1970 on, of UTC, the silence is unusual. */
  silentFrom: number;
  /** The longest gap that is usual then. */
  usualMinutes: number;
}

/**
 * Decides from when on a silence is unusual that began at a minute, if nothing comes. That is when there has been nothing
 * for twice as long as the longest usual gap, and all of this time was of a kind in which such gaps are usual: so neither
 * the night before the first sale of a day counts, nor the one after the last. Twice, less two minutes: gaps are known to a
 * minute, and it is to be told within twice the rhythm.
 * @param lastHeard minutes since 1970, of UTC
 * @param until how far it is looked, as lastHeard
 * @returns null if no silence of this kind is known to be unusual
 */
export function silentFrom(
  usual: UsualGaps,
  {
    lastHeard,
    activeHours,
    until = lastHeard + MOST_SILENT_MINUTES,
  }: { lastHeard: number; activeHours: ActiveHours | null; until?: number },
): LearnedSilence | null {
  const { zone } = usual;
  const around = (minute: number): number =>
    isActive(activeHours, minute) ? usual.around(zone.local(minute) % WEEK_MINUTES) : Infinity;
  for (let now = lastHeard + LEAST_SILENT_MINUTES; now <= until; now++) {
    const silent = now - lastHeard;
    let longest = around(now);
    if (unusualAfter(longest) > silent) continue;
    longest = Math.max(longest, usual.ofHour(zone.local(now) % WEEK_MINUTES));
    for (let minute = now - 1; unusualAfter(longest) <= silent && minute >= now - unusualAfter(longest); minute--) {
      longest = Math.max(longest, around(minute));
    }
    if (unusualAfter(longest) <= silent) return { silentFrom: now, usualMinutes: longest };
  }
  return null;
}

const unusualAfter = (longest: number): number => Math.max(LEAST_SILENT_MINUTES, 2 * (longest - 1));

/** Of how many whole weeks there are data, at most as many as are needed. */
export const weeksLearned = (sinceMs: number, nowMs: number): number =>
  Math.max(0, Math.min(WEEKS_NEEDED, Math.floor((nowMs - sinceMs) / (WEEK_MINUTES * 60_000))));
