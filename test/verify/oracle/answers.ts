import { entriesOf, type Entry, type EntryOf } from '../run/journal';
import type { Told } from '../load/sending';

export interface Answer {
  request: number;
  atMs: number;
  told: readonly Told[];
}

/** All responses, complete or not. */
export function answersIn(journal: readonly Entry[]): Answer[] {
  return [...entriesOf(journal, 'answered'), ...entriesOf(journal, 'unanswered'), ...entriesOf(journal, 'strange')];
}

/** All acknowledged names with the ids in the responses. A name has no id if only summaries of streams acknowledged it. */
export function acknowledgedIds(journal: readonly Entry[]): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { name, outcome, fields } of answersIn(journal).flatMap(({ told }) => told)) {
    if (outcome === 'rejected' || outcome === 'unverified') continue;
    const known = ids.get(name) ?? new Set();
    if (typeof fields?.id === 'string') known.add(fields.id);
    ids.set(name, known);
  }
  return ids;
}

/** Requests by number. */
export function requestsIn(journal: readonly Entry[]): Map<number, EntryOf<'sent'>> {
  return new Map(entriesOf(journal, 'sent').map((sent) => [sent.request, sent]));
}
