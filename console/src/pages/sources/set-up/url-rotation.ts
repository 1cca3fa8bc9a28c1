import type { BodyOf } from '../../../api/endpoints';

export type UrlRotation = NonNullable<BodyOf<'post', '/v1/admin/sources/{id}/rotate-token'>>;

/**
 * What to ask for. If the newest URL never reached the producer, the one before it is the one that must go on working.
 * @param overlapSeconds for which the present URL works on, in seconds
 */
export const urlRotation = (overlapSeconds: number, newestIsUnknown: boolean): UrlRotation =>
  newestIsUnknown ? { overlapSeconds, keepPrevious: true } : { overlapSeconds };

/**
 * What became of a request without a response.
 * @param before the hint of the URL before the request
 * @param now the hint in what was read afterwards
 */
export const lostResponse = (before: string, now: string): string =>
  before === now
    ? 'The URL may have been changed. Close this window, and look at the end of the URL of the source before you try again.'
    : `The URL was changed to ${now}, which nobody has seen, and the one before it works until its end. Close this window, and ask for a new URL again: say there that the newest one never reached the producer.`;
