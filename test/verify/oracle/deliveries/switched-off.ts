import { entriesOf, type Entry } from '../../run/journal';

/** A time in which the operator kept the switched destination disabled. */
export interface Span {
  /** It may be disabled from here on. */
  fromMs: number;
  /** It is disabled for certain from here on; Infinity if the request to disable it was not answered with 200. */
  surelyMs: number;
  /** It may be enabled again from here on. */
  againMs: number;
  /** It is enabled for certain from here on. */
  toMs: number;
}

export function switchedOff(journal: readonly Entry[]): Span[] {
  const switches = entriesOf(journal, 'operator').filter(({ action }) => action === 'destination.switch');
  const spans: Span[] = [];
  for (const { request, sentMs, atMs, status } of switches) {
    const open = spans.at(-1);
    if (request.enabled === false) {
      spans.push({ fromMs: sentMs, surelyMs: status === 200 ? atMs : Infinity, againMs: Infinity, toMs: Infinity });
    } else if (open) {
      open.againMs = Math.min(open.againMs, sentMs);
      if (status === 200) open.toMs = Math.min(open.toMs, atMs);
    }
  }
  return spans;
}
