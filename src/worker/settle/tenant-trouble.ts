/** The weight of a result halves in this time, so that a tenant whose handlers work again is trusted again. */
const HALF_LIFE_MS = 1_000;
/** Failures, by weight, from which a tenant is in trouble, if they are at least half of its results. */
export const MANY_FAILURES = 8;
/** Below this, a tenant is forgotten. */
const FORGOTTEN_BELOW = 0.5;
const MOST_TENANTS = 1_000;
/** Events of a tenant in trouble that run at once, to find out whether their handlers work again. */
const MOST_AT_ONCE = 10;
/** Between two such groups of a tenant, while events of others wait. */
const PAUSE_MS = 100;
/** Others have work if one of their events came within this time. */
const OTHERS_MS = 1_000;
/** A group rests for so many times as long as it took: its tenant gets a tenth of a worker's time. */
const REST = 9;
/** A longer rest would go on for long after the handlers work again. */
const LONGEST_REST_MS = 10_000;
/** The first group after a rest still runs apart, if it comes within this time. */
const AFTER_REST_MS = 1_000;
/** Groups that run in one batch. The events of other tenants wait for them. */
const MOST_GROUPS = 4;

interface Results {
  failed: number;
  succeeded: number;
  atMs: number;
  /** When the next group of its events may run beside those of others. */
  nextMs: number;
}

/** How the events of a batch are settled. */
export interface Split<T> {
  /** In one transaction. None of their tenants is in trouble. */
  together: T[];
  /** In transactions of their own, one for each tenant in trouble. */
  apart: T[][];
  /** Postponed without running a handler. */
  postponed: T[];
  /** Tenants in trouble beside others that have work. */
  besideOthers: string[];
}

/**
 * Knows the tenants whose events fail in handlers. One failing event makes the whole transaction of its batch roll back,
 * and looking for it takes as long as many batches. So the events of a tenant in trouble are settled apart from those of
 * others, and while others have work, only a few of them run.
 */
export class TenantTrouble {
  private readonly tenants = new Map<string, Results>();
  private othersMs = -Infinity;

  split<T extends { event: { tenantId: string } }>(items: readonly T[], nowMs: number): Split<T> {
    const together: T[] = [];
    const byTenant = new Map<string, T[]>();
    for (const item of items) {
      const { tenantId } = item.event;
      if (!this.isInTrouble(tenantId, nowMs)) together.push(item);
      else byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), item]);
    }
    if (together.length > 0) this.othersMs = nowMs;
    const postponed: T[] = [];
    const apart: T[][] = [];
    const isShared = nowMs - this.othersMs < OTHERS_MS || byTenant.size > 1;
    for (const [tenantId, group] of byTenant) {
      const runs = !isShared ? group.length : apart.length < MOST_GROUPS ? this.runsOf(tenantId, nowMs) : 0;
      if (runs > 0) apart.push(group.slice(0, runs));
      postponed.push(...group.slice(runs));
    }
    return { together, apart, postponed, besideOthers: isShared ? [...byTenant.keys()] : [] };
  }

  /** Learns how events of a tenant ended that ran their handlers. */
  learn(tenantId: string, { failed, succeeded }: { failed: number; succeeded: number }, nowMs: number): void {
    const known = this.resultsOf(tenantId, nowMs);
    if (!known && (failed === 0 || !this.hasRoom(nowMs))) return;
    this.tenants.set(tenantId, {
      failed: (known?.failed ?? 0) + failed,
      succeeded: (known?.succeeded ?? 0) + succeeded,
      atMs: nowMs,
      nextMs: known?.nextMs ?? -Infinity,
    });
  }

  /** A group of a tenant in trouble has run. All tenants in trouble together get a tenth of the time. */
  ran(tenantId: string, tookMs: number, nowMs: number): void {
    const results = this.tenants.get(tenantId);
    if (!results) return;
    const others = [...this.tenants].filter(([id, { nextMs }]) => id !== tenantId && nextMs > nowMs).length;
    const restMs = REST * tookMs * (1 + others);
    results.nextMs = nowMs + Math.min(LONGEST_REST_MS, Math.max(PAUSE_MS, restMs));
  }

  /** When its next group may run, from now. */
  restMs(tenantId: string, nowMs: number): number {
    return Math.max(0, (this.tenants.get(tenantId)?.nextMs ?? nowMs) - nowMs);
  }

  private runsOf(tenantId: string, nowMs: number): number {
    const results = this.tenants.get(tenantId);
    if (!results || nowMs < results.nextMs) return 0;
    results.nextMs = nowMs + PAUSE_MS;
    return MOST_AT_ONCE;
  }

  private hasRoom(nowMs: number): boolean {
    if (this.tenants.size < MOST_TENANTS) return true;
    for (const tenantId of [...this.tenants.keys()]) this.resultsOf(tenantId, nowMs);
    return this.tenants.size < MOST_TENANTS;
  }

  private isInTrouble(tenantId: string, nowMs: number): boolean {
    if (this.tenants.size === 0) return false;
    const results = this.resultsOf(tenantId, nowMs);
    if (results === undefined) return false;
    const rests = nowMs < results.nextMs + AFTER_REST_MS;
    return (rests || results.failed >= MANY_FAILURES) && results.failed >= results.succeeded;
  }

  /** With the weights of now; undefined, and forgotten, if they are too small. */
  private resultsOf(tenantId: string, nowMs: number): Results | undefined {
    const results = this.tenants.get(tenantId);
    if (!results) return undefined;
    const weight = 2 ** ((results.atMs - nowMs) / HALF_LIFE_MS);
    results.failed *= weight;
    results.succeeded *= weight;
    results.atMs = nowMs;
    if (results.failed >= FORGOTTEN_BELOW || nowMs < results.nextMs + AFTER_REST_MS) return results;
    this.tenants.delete(tenantId);
    return undefined;
  }
}
