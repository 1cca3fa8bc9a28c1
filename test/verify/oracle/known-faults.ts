import type { Evidence } from '../evidence/evidence';
import { entriesOf } from '../run/journal';
import type { Violation } from './violation';

/** A known fault of the product. The issue that fixes it removes it from the list. */
export interface KnownFault {
  name: string;
  issue: number;
  explains: (violation: Violation, evidence: Evidence) => boolean;
}

export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    name: 'corrupted cached facts, and those under another key, are used',
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
