import type { Health } from './classify-answer';

/** The circuit opens when the weights of the failures since the last sign of life add up to this. */
const OPENS_AT = 20;
/**
 * Quick failures (a refused connection, a 500) cost little, so many of them may happen before the circuit opens. A
 * timeout holds a place for its whole length and weighs more.
 */
const WEIGHTS: Partial<Record<Health, number>> = { failure: 1, timeout: 4 };

/** Adds up the failures that this process has seen of a destination since its last success or `alive` response. */
export class FailureWeight {
  private sum = 0;

  /** Returns true if the circuit should open. */
  add(health: Health): boolean {
    if (health === 'success' || health === 'alive') this.sum = 0;
    this.sum += WEIGHTS[health] ?? 0;
    return this.sum >= OPENS_AT;
  }
}
