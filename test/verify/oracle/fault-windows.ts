import type { FaultKind, TargetName } from '../faults/schedule';
import { entriesOf, type Entry } from '../run/journal';

export interface Span {
  fromMs: number;
  toMs: number;
}

interface Window extends Span {
  kind: FaultKind;
  target: TargetName;
}

/** A fault has effects for this long after its end: reconnects, redeliveries, leases that run out. */
const WORKS_ON_MS = 3_000;

/** The times of all faults. A fault can explain what would otherwise be a violation. */
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

  /** True if a fault that `counts` had effects at some time in the span. */
  explain(fromMs: number, toMs: number, counts: (kind: FaultKind, target: TargetName) => boolean): boolean {
    return this.windows.some(
      (window) => window.fromMs <= toMs && window.toMs >= fromMs && counts(window.kind, window.target),
    );
  }

  /** The times of the faults of a kind, without their later effects. */
  during(kind: FaultKind, of: (target: TargetName) => boolean = () => true): Span[] {
    const own = this.windows.filter((window) => window.kind === kind && of(window.target));
    return own.map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs - WORKS_ON_MS }));
  }

  /** The parts of a span in which no fault that `counts` had effects, in order. */
  undisturbed(span: Span, counts: (kind: FaultKind, target: TargetName) => boolean): Span[] {
    const disturbing = this.windows.filter(({ kind, target }) => counts(kind, target));
    const parts: Span[] = [];
    let { fromMs } = span;
    for (const window of disturbing.sort((a, b) => a.fromMs - b.fromMs)) {
      if (window.fromMs > fromMs) parts.push({ fromMs, toMs: Math.min(window.fromMs, span.toMs) });
      fromMs = Math.max(fromMs, window.toMs);
    }
    return [...parts, { fromMs, toMs: span.toMs }].filter((part) => part.fromMs < part.toMs);
  }

  had(...kinds: FaultKind[]): boolean {
    return this.windows.some(({ kind }) => kinds.includes(kind));
  }
}

/** Another installation on the virtual host is no excuse for anything. */
const isExcuse = (kind: FaultKind): boolean => kind !== 'share';

/** Faults that can cause a message to be delivered or processed again. */
export const bringsAgain = (kind: FaultKind, target: TargetName): boolean =>
  isExcuse(kind) && !hitsRedis(kind, target) && target !== 'names' && target !== 'readers' && !target.startsWith('api');

/** Or the way to it. */
export const hitsServer = (kind: FaultKind, target: TargetName): boolean =>
  isExcuse(kind) &&
  (hitsDatabase(kind, target) || hitsRedis(kind, target) || target === 'rabbitmq' || target === 'rabbitmq-connections');

export const hitsDatabase = (_: FaultKind, target: TargetName): boolean =>
  target === 'postgres' || target === 'pooler' || target === 'postgres-connections';

export const hitsRedis = (_: FaultKind, target: TargetName): boolean =>
  target === 'redis' || target === 'redis-connections';
