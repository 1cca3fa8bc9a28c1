import { countOf, formatCount } from '../format/numbers';

/** What a bulk action did, or would do in a dry run. */
export interface Outcome {
  matched: number;
  changed: number;
  skipped: number;
  /** Events that cannot be sent again because their payload was erased. */
  erased?: number;
  /** In a dry run: more match than one action changes. */
  more?: boolean;
  /** The replay that goes on after the action. */
  replayId?: string | null;
  /** What else there is to know, in sentences. */
  remarks?: readonly string[];
}

/** What a person reads before the action: how many, and whether these are all. */
export function previewOf({ matched, skipped, erased = 0, more = false }: Outcome, noun: string): string {
  if (matched === 0) return `Nothing matches any more: there is no ${noun} to change.`;
  const said = more
    ? `One action changes at most ${countOf(matched, noun)}: the newest. Repeat it for the rest.`
    : `This changes ${countOf(matched, noun)}.`;
  const skippedToo =
    skipped === 0
      ? ''
      : ` Of these, ${formatCount(skipped)} would be skipped now, because they are in process, in another replay, or erased.`;
  const erasedToo = erased === 0 ? '' : ` ${countOf(erased, 'erased event')} will not change.`;
  return `${said}${skippedToo}${erasedToo}`;
}

/** What a person reads afterwards. */
export function resultOf({ matched, changed, skipped }: Outcome, noun: string, done: string): string {
  const said = `${formatCount(changed)} of ${countOf(matched, noun)} ${done}.`;
  if (skipped === 0) return said;
  return `${said} ${formatCount(skipped)} skipped, because they changed, are in another replay, or were erased.`;
}
