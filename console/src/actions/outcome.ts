import { countOf, formatCount } from '../format/numbers';

/** What a bulk action did, or would do in a dry run. */
export interface Outcome {
  matched: number;
  changed: number;
  skipped: number;
  /** Events that cannot be sent again because their payload was erased. */
  erased: number;
}

/** How many events one action changes unless the request says otherwise. */
export const MOST_AT_ONCE = 1_000;

/** What a person reads before the action: how many, and whether these are all. */
export function previewOf({ matched, skipped, erased }: Outcome, noun: string): string {
  if (matched === 0) return `Nothing matches any more: there is no ${noun} to change.`;
  const erasedToo = erased === 0 ? '' : ` ${countOf(erased, 'erased event')} will not change.`;
  if (matched < MOST_AT_ONCE) return `This changes ${countOf(matched, noun)}.${skippedToo(skipped)}${erasedToo}`;
  return `One action changes at most ${formatCount(MOST_AT_ONCE)}: the newest. Repeat it for the rest.${skippedToo(skipped)}${erasedToo}`;
}

const skippedToo = (skipped: number): string =>
  skipped === 0
    ? ''
    : ` Of these, ${formatCount(skipped)} would be skipped now, because they are in process, in another replay, or erased.`;

/** What a person reads afterwards. */
export function resultOf({ matched, changed, skipped }: Outcome, noun: string, done: string): string {
  const said = `${formatCount(changed)} of ${countOf(matched, noun)} ${done}.`;
  if (skipped === 0) return said;
  return `${said} ${formatCount(skipped)} skipped, because they changed, are in another replay, or were erased.`;
}
