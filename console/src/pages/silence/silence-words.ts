import type { Schema } from '../../api/endpoints';
import { formatDuration } from '../../format/times';
import { hoursText } from '../../parts/forms/hours-form';

type Rule = Pick<Schema<'ExpectationResponse'>, 'expectEverySeconds' | 'activeHours' | 'learnSilence' | 'learned'>;

/** How often something is expected; false if nothing is. */
export const expectedText = ({ expectEverySeconds }: Pick<Rule, 'expectEverySeconds'>): string | false =>
  expectEverySeconds !== null && formatDuration(expectEverySeconds * 1_000);

/** When something is expected; false if always. */
export const activeText = ({ activeHours }: Pick<Rule, 'activeHours'>): string | false =>
  activeHours !== null && hoursText(activeHours);

/** How far the learning of what is usual is; false if nothing is learned. */
export function learnedText({ learned }: Pick<Rule, 'learned'>): string | false {
  if (learned === null) return false;
  const { state, weeks, weeksNeeded } = learned;
  return state === 'learned' ? 'learned' : `learning, ${weeks} of ${weeksNeeded} weeks`;
}
