import type { Evidence, StoredEvent } from '../evidence/evidence';
import { bringsAgain, FaultWindows } from './fault-windows';
import { violation, type Violation } from './violation';

/** I3, I5: what the reconciler sent again had been lost by a fault. Where nothing loses on purpose, it has nothing to do. */
export function checkReconciler({ journal, reconciles, stored }: Evidence): Violation[] {
  const faults = new FaultWindows(journal);
  return stored.flatMap((event) => {
    const unexplained = repairsOf(event).filter(
      ({ publishedMs, repairedMs }) => !reconciles || !faults.explain(publishedMs, repairedMs, bringsAgain),
    );
    return unexplained.map(({ dispatchNo, repairedMs }) => {
      const text = `dispatch ${dispatchNo} of ${event.name} was made by the reconciler (${(repairedMs / 1000).toFixed(1)} s), and no fault explains it`;
      return violation('repaired', text, event.name);
    });
  });
}

/** The reconciler alone dispatches to events.main again. */
export function repairsOf({ entries }: StoredEvent): { dispatchNo: number; publishedMs: number; repairedMs: number }[] {
  const repairs = entries.filter(({ destination, dispatchNo }) => destination === 'main' && dispatchNo > 1);
  return repairs.map(({ dispatchNo, createdMs }) => {
    const lost = entries.find((entry) => entry.dispatchNo === dispatchNo - 1);
    return { dispatchNo, publishedMs: lost?.createdMs ?? createdMs, repairedMs: createdMs };
  });
}
