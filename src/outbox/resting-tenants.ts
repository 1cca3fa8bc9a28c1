/** Between two groups of entries of a tenant whose handlers fail: as often as a worker runs some of them. */
const PAUSE_MS = 100;

/**
 * Tenants whose handlers fail, and that got a few entries in a claim of this process. Claims follow each other within
 * milliseconds, so they leave such a tenant out for a moment. A claim adds at most its lanes.
 */
export class RestingTenants {
  private readonly untilMs = new Map<string, number>();

  add(tenants: Iterable<string>, nowMs: number): void {
    for (const tenantId of tenants) this.untilMs.set(tenantId, nowMs + PAUSE_MS);
  }

  now(nowMs: number): string[] {
    for (const [tenantId, ms] of this.untilMs) if (ms <= nowMs) this.untilMs.delete(tenantId);
    return [...this.untilMs.keys()];
  }
}
