import type { Evidence, StoredEvent } from '../evidence/evidence';
import { bringsAgain, FaultWindows } from './fault-windows';
import { violation, type Violation } from './violation';

/** I3, I5: the reconciler dispatches an event again only if a fault explains it, and never in a run without the reconciler. */
export function checkReconciler({ journal, reconciles, stored }: Evidence): Violation[] {
  const faults = new FaultWindows(journal);
  return stored.flatMap((event) => {
    const unexplained = repairsOf(event).filter(
      ({ publishedMs, repairedMs }) => !reconciles || !faults.explain(publishedMs, repairedMs, bringsAgain),
    );
    return unexplained.map(({ dispatchNo, repairedMs }) => {
      const text = `dispatch ${dispatchNo} of ${event.name} was created by the reconciler (${(repairedMs / 1000).toFixed(1)} s), and no fault explains it`;
      return violation('repaired', text, event.name);
    });
  });
}

/** Only the reconciler creates a second dispatch to events.main. */
export function repairsOf({ entries }: StoredEvent): { dispatchNo: number; publishedMs: number; repairedMs: number }[] {
  const repairs = entries.filter(({ destination, dispatchNo }) => destination === 'main' && dispatchNo > 1);
  return repairs.map(({ dispatchNo, createdMs }) => {
    const lost = entries.find((entry) => entry.dispatchNo === dispatchNo - 1);
    return { dispatchNo, publishedMs: lost?.createdMs ?? createdMs, repairedMs: createdMs };
  });
}
