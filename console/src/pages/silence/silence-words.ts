import type { Schema } from '../../api/endpoints';
import { formatDuration } from '../../format/times';

type Rule = Pick<Schema<'ExpectationResponse'>, 'expectEverySeconds' | 'activeHours' | 'learnSilence' | 'learned'>;

/** How often something is expected; false if nothing is. */
export const expectedText = ({ expectEverySeconds }: Pick<Rule, 'expectEverySeconds'>): string | false =>
  expectEverySeconds !== null && formatDuration(expectEverySeconds * 1_000);

/** `Mon, Tue 09:00–18:00, Europe/Berlin`; false if it is always active. */
export function activeText({ activeHours }: Pick<Rule, 'activeHours'>): string | false {
  if (activeHours === null) return false;
  const { timeZone, weekdays, from = '00:00', to = '24:00' } = activeHours as Record<string, unknown>;
  const days = Array.isArray(weekdays) ? weekdays.map((day) => capitalised(String(day))).join(', ') : 'every day';
  return `${days} ${String(from)}–${String(to)}, ${String(timeZone)}`;
}

const capitalised = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

/** How far the learning of what is usual is; false if nothing is learned. */
export function learnedText({ learned }: Pick<Rule, 'learned'>): string | false {
  if (learned === null) return false;
  const { state, weeks, weeksNeeded } = learned;
  return state === 'learned' ? 'learned' : `learning, ${weeks} of ${weeksNeeded} weeks`;
}
