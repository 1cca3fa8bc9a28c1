/** What a caller may still send in the current minute: events of a tenant, or admin requests of an address. */
export interface Allowance {
  limit: number;
  remaining: number;
  /** Seconds until the caller's next minute begins. */
  resetSeconds: number;
}

/** Returns the RateLimit headers that announce an allowance; none when there is no limit. */
export function allowanceHeaders(allowance: Allowance | undefined): Record<string, string> {
  if (!allowance) return {};
  return {
    'RateLimit-Limit': String(allowance.limit),
    'RateLimit-Remaining': String(allowance.remaining),
    'RateLimit-Reset': String(allowance.resetSeconds),
  };
}
