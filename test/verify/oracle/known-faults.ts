import type { Evidence } from '../evidence/evidence';
import type { Violation } from './violation';

/** A known fault of the product. The issue that fixes it removes it from the list. */
export interface KnownFault {
  name: string;
  issue: number;
  explains: (violation: Violation, evidence: Evidence) => boolean;
}

export const KNOWN_FAULTS: readonly KnownFault[] = [];
