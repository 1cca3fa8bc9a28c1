/** What a caller may still do in the current minute. */
export interface Allowance {
  limit: number;
  remaining: number;
  /** Until the next minute begins for this caller, in seconds. */
  resetSeconds: number;
}

/** The RateLimit fields that announce an allowance. */
export function allowanceHeaders(allowance: Allowance | undefined): Record<string, string> {
  if (!allowance) return {};
  return {
    'RateLimit-Limit': String(allowance.limit),
    'RateLimit-Remaining': String(allowance.remaining),
    'RateLimit-Reset': String(allowance.resetSeconds),
  };
}
