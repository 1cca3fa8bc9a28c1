import type { ClassifiedAnswer } from './classify-answer';

/** The longest wait that a Retry-After header can ask for. */
const MOST_RETRY_AFTER_SECONDS = 86_400;
/** For a receiver that says "slow down" and not for how long: twice as long after each attempt, between these two. */
const LEAST_SLOW_DOWN_SECONDS = 1;
const MOST_SLOW_DOWN_SECONDS = 300;

export interface DeliveryRetryRules {
  /** Wait after each try in seconds: n waits are n + 1 tries. */
  schedule: readonly number[];
  /** Fraction by which a wait varies, from 0 to 1. */
  jitter: number;
  /** A slow-down of a delivery that is older than this uses up tries, so that no delivery is sent for ever. */
  mostSlowDownSeconds: number;
}

export interface TriedDelivery {
  /** Attempts before this one. */
  attempts: number;
  /** Tries used up before this attempt. */
  tries: number;
  ageSeconds: number;
  /** How long its destination has had no success. */
  failingSeconds: number;
}

/** What becomes of a delivery after an attempt. */
export type AfterAttempt =
  | { kind: 'delivered' }
  | { kind: 'failed'; exhausted: boolean }
  | { kind: 'retry'; waitSeconds: number; usesTry: boolean };

/**
 * Decides what follows an attempt. A retry waits for the longer of the schedule's wait (with jitter) and Retry-After.
 * Slow-downs use up no try until the destination has had no success for the whole span of the schedule.
 *
 * @param random from 0 to 1
 */
export function afterAttempt(
  { kind, retryAfterSeconds = 0 }: Pick<ClassifiedAnswer, 'kind' | 'retryAfterSeconds'>,
  { attempts, tries, ageSeconds, failingSeconds }: TriedDelivery,
  { schedule, jitter, mostSlowDownSeconds }: DeliveryRetryRules,
  random: number,
): AfterAttempt {
  if (kind === 'done') return { kind: 'delivered' };
  if (kind === 'fail' || kind === 'gone') return { kind: 'failed', exhausted: false };
  const askedSeconds = Math.min(retryAfterSeconds, MOST_RETRY_AFTER_SECONDS);
  if (kind === 'slow-down' && failingSeconds < spanOf(schedule) && ageSeconds < mostSlowDownSeconds) {
    const guess = Math.min(LEAST_SLOW_DOWN_SECONDS * 2 ** attempts, MOST_SLOW_DOWN_SECONDS);
    // Never earlier than asked. The jitter spreads deliveries that were refused at the same time.
    return { kind: 'retry', waitSeconds: (askedSeconds || guess) * (1 + jitter * random), usesTry: false };
  }
  const wait = schedule[tries];
  if (wait === undefined) return { kind: 'failed', exhausted: true };
  const varied = wait * (1 + jitter * (2 * random - 1));
  return { kind: 'retry', waitSeconds: Math.max(varied, askedSeconds), usesTry: true };
}

const spanOf = (schedule: readonly number[]): number => schedule.reduce((sum, seconds) => sum + seconds, 0);
