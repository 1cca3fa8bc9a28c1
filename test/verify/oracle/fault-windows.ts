import type { FaultKind, TargetName } from '../faults/schedule';
import { entriesOf, type Entry } from '../run/journal';

interface Window {
  kind: FaultKind;
  target: TargetName;
  fromMs: number;
  toMs: number;
}

/** Connections are made anew, messages come again, leases run out: so long does a fault work on when it is over. */
const WORKS_ON_MS = 3_000;

/** When what was made to fail: what happened then may have a reason. */
export class FaultWindows {
  private readonly windows: Window[];

  constructor(journal: readonly Entry[]) {
    const faults = entriesOf(journal, 'fault');
    const ends = new Map(
      faults.filter(({ phase }) => phase === 'ends').map(({ fault, target, atMs }) => [`${fault} ${target}`, atMs]),
    );
    this.windows = faults
      .filter(({ phase }) => phase === 'begins')
      .map(({ fault, target, what, atMs }) => {
        const toMs = (ends.get(`${fault} ${target}`) ?? Infinity) + WORKS_ON_MS;
        return { kind: what, target, fromMs: atMs, toMs };
      });
  }

  /** Whether a fault that `counts` was at work at some moment of the span. */
  explain(fromMs: number, toMs: number, counts: (kind: FaultKind, target: TargetName) => boolean): boolean {
    return this.windows.some(
      (window) => window.fromMs <= toMs && window.toMs >= fromMs && counts(window.kind, window.target),
    );
  }

  had(...kinds: FaultKind[]): boolean {
    return this.windows.some(({ kind }) => kinds.includes(kind));
  }
}

/** What can bring a message, or the work on it, a second time. */
export const bringsAgain = (_: FaultKind, target: TargetName): boolean =>
  target !== 'redis' && !target.startsWith('api');

export const hitsServer = (_: FaultKind, target: TargetName): boolean =>
  target === 'postgres' || target === 'redis' || target === 'rabbitmq';

export const hitsDatabase = (_: FaultKind, target: TargetName): boolean => target === 'postgres';
