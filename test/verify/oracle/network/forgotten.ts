import type { Evidence } from '../../evidence/evidence';
import { entriesOf } from '../../run/journal';
import { FaultWindows } from '../fault-windows';
import { violation, type Violation } from '../violation';

/** I13: connections on which nothing passes are replaced, unless the server or a process stood still meanwhile. */
export function checkForgotten({ journal }: Pick<Evidence, 'journal'>): Violation[] {
  const faults = new FaultWindows(journal);
  return entriesOf(journal, 'forgotten').flatMap(({ server, sinceMs, atMs, kept }) => {
    const standsStill = faults.explain(
      sinceMs,
      atMs,
      (kind, target) => target === server || (kind === 'stop' && target.endsWith('-0')),
    );
    if (kept === 0 || standsStill) return [];
    const seconds = Math.round((atMs - sinceMs) / 1_000);
    return [violation('left over', `${kept} connections to ${server} are open, and nothing passed for ${seconds} s`)];
  });
}
