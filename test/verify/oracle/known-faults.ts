import type { Evidence } from '../evidence/evidence';
import { entriesOf } from '../run/journal';
import type { Violation } from './violation';

/** A fault of the product that is known, and the issue that mends it. That issue takes it out of this list. */
export interface KnownFault {
  name: string;
  issue: number;
  explains: (violation: Violation, evidence: Evidence) => boolean;
}

export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    name: 'a replay that gets into a deadlock is answered 500',
    issue: 18,
    explains: ({ breach, text }) => breach === 'strange answer' && text.startsWith('replay: 500'),
  },
  {
    name: 'a replay that is answered 5xx is carried out all the same',
    issue: 18,
    explains: ({ breach, text }) =>
      breach === 'operator' && /^replay .* was answered 5\d\d, and carried out/.test(text),
  },
  {
    name: 'cached facts that are corrupted or stand under another key are believed',
    issue: 23,
    explains: ({ names }, evidence) => names.some((name) => forgedNames(evidence).has(name)),
  },
];

const forged = new WeakMap<Evidence, Set<string>>();

function forgedNames(evidence: Evidence): Set<string> {
  const known = forged.get(evidence);
  if (known) return known;
  const ids = new Set(entriesOf(evidence.journal, 'forged').flatMap((entry) => entry.ids));
  const names = new Set(evidence.stored.filter(({ id }) => ids.has(id)).map(({ name }) => name));
  forged.set(evidence, names);
  return names;
}
