import type { ReasonCode } from '../event/event-status';

export interface RetryRules {
  MAX_RETRY_ATTEMPTS: number;
  /** Wait before each retry, in ms; the last one repeats. */
  RETRY_BACKOFF_MS: readonly number[];
  /** Share by which a wait varies, 0 to 1. */
  RETRY_JITTER: number;
}

export type RetryDecision =
  { kind: 'retry'; reasonCode: ReasonCode; delayMs: number } | { kind: 'dead-letter'; reasonCode: ReasonCode };

/**
 * What follows a failed attempt. An error that nobody classified is worth another try until the attempts are used up.
 * `random` is a number from 0 to 1.
 */
export function decideAfterFailure(attemptNumber: number, rules: RetryRules, random: number): RetryDecision {
  if (attemptNumber >= rules.MAX_RETRY_ATTEMPTS) return { kind: 'dead-letter', reasonCode: 'RETRY_EXHAUSTED' };
  const waits = rules.RETRY_BACKOFF_MS;
  const wait = waits[Math.min(attemptNumber, waits.length) - 1] ?? 0;
  const delayMs = Math.round(wait * (1 + rules.RETRY_JITTER * (2 * random - 1)));
  return { kind: 'retry', reasonCode: 'HANDLER_ERROR', delayMs };
}
