import { SYSTEM_ACTOR } from '../../audit/system-actions.queries';

export const TIMELINE_KINDS = [
  'rejected', // a record was refused, and became this event or a duplicate of it later
  'received',
  'resubmitted', // the rejection was sent in again
  'published', // the broker has confirmed a dispatch
  'publish-failed',
  'attempt', // the handlers ran
  'retry-scheduled',
  'dead-letter',
  'revision', // an operator gave the event another payload
  'delivery', // a delivery to a destination was recorded
  'delivery-attempt',
  'delivery-settled', // the delivery ended otherwise than by a successful attempt
  'replay',
  'action', // an operator changed the event or its deliveries
] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

/** One thing that happened to an event. */
export interface TimelineEntry {
  at: string;
  kind: TimelineKind;
  /** The operator, or `streamforge`. Null if the operator is not recorded, or may not be shown. */
  actor: string | null;
  text: string;
  note: string | null;
  data: object;
}

/** An entry about what StreamForge did by itself. */
export const bySystem = (at: string, kind: TimelineKind, text: string, data: object): TimelineEntry => ({
  ...{ at, kind, actor: SYSTEM_ACTOR, text, note: null, data },
});

/** Ends with a full stop, also if the text of a receiver or a handler has none, or two. */
export const sentence = (text: string): string => `${text.replace(/[\s.]+$/, '')}.`;

/** `HTTP_5XX: the receiver is down`, or the code alone. */
export const cause = (reasonCode: string, message: string | null): string =>
  message === null || message === '' ? reasonCode : `${reasonCode}: ${message}`;

/** Puts the entries in the order of their time, and those of one transaction in the order of the kinds. */
export function newestEntries(
  entries: readonly TimelineEntry[],
  most: number,
): { entries: TimelineEntry[]; truncated: boolean } {
  const rank = new Map(TIMELINE_KINDS.map((kind, i) => [kind, i]));
  const rankOf = ({ kind }: TimelineEntry): number => rank.get(kind) ?? 0;
  const sorted = [...entries].sort((a, b) => (a.at === b.at ? rankOf(a) - rankOf(b) : a.at < b.at ? -1 : 1));
  return { entries: sorted.slice(-most), truncated: sorted.length > most };
}
