import type { Evidence } from '../../evidence/evidence';
import type { FaultKind } from '../../faults/schedule';
import { entriesOf } from '../../run/journal';
import { FaultWindows } from '../fault-windows';
import { violation, type Violation } from '../violation';

/** In these a server takes no part in anything for a while, or starts anew. */
const STANDS_STILL: readonly FaultKind[] = ['stop', 'hang', 'kill', 'wipe'];

/** I13: connections on which nothing passes are replaced, unless the server or a process stood still meanwhile. */
export function checkForgotten({ journal }: Pick<Evidence, 'journal'>): Violation[] {
  const faults = new FaultWindows(journal);
  return entriesOf(journal, 'forgotten').flatMap(({ server, sinceMs, atMs, kept }) => {
    const standsStill = faults.explain(
      sinceMs,
      atMs,
      (kind, target) =>
        (target === server && STANDS_STILL.includes(kind)) || (kind === 'stop' && target.endsWith('-0')),
    );
    if (kept === 0 || standsStill) return [];
    const seconds = Math.round((atMs - sinceMs) / 1_000);
    return [violation('left over', `${kept} connections to ${server} are open, and nothing passed for ${seconds} s`)];
  });
}
