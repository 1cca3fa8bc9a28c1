import * as fc from 'fast-check';
import { decideAfterFailure } from '../../../src/worker/retry-policy';

const RULES = { MAX_RETRY_ATTEMPTS: 5, RETRY_BACKOFF_MS: [1_000, 5_000, 30_000], RETRY_JITTER: 0.2 };
const STEADY = { ...RULES, RETRY_JITTER: 0 };

function delayMs(attemptNumber: number, rules = RULES, random = 0.5): number {
  const decision = decideAfterFailure(attemptNumber, rules, random);
  if (decision.kind !== 'retry') throw new Error('it was dead-lettered');
  return decision.delayMs;
}

describe('after a failed attempt', () => {
  it('the waits follow in order and the last one repeats', () => {
    expect([1, 2, 3, 4].map((attemptNumber) => delayMs(attemptNumber, STEADY))).toEqual([1_000, 5_000, 30_000, 30_000]);
  });

  it('the last attempt is followed by the dead letter', () => {
    expect(decideAfterFailure(4, RULES, 0.5)).toMatchObject({ kind: 'retry', reasonCode: 'HANDLER_ERROR' });
    for (const attemptNumber of [5, 6]) {
      expect(decideAfterFailure(attemptNumber, RULES, 0.5)).toEqual({
        kind: 'dead-letter',
        reasonCode: 'RETRY_EXHAUSTED',
      });
    }
  });

  it('a single attempt may be all there is', () => {
    expect(decideAfterFailure(1, { ...RULES, MAX_RETRY_ATTEMPTS: 1 }, 0.5).kind).toBe('dead-letter');
  });

  it('the wait varies by the jitter to both sides', () => {
    expect([0, 0.5, 1].map((random) => delayMs(1, RULES, random))).toEqual([800, 1_000, 1_200]);
    expect([0, 1].map((random) => delayMs(1, { ...RULES, RETRY_JITTER: 1 }, random))).toEqual([0, 2_000]);
  });

  it('the wait never leaves its bounds', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, fc.integer({ min: 1, max: 4 }), (jitter, random, attemptNumber) => {
        const rules = { ...RULES, RETRY_JITTER: jitter };
        const wait = delayMs(attemptNumber, STEADY);
        expect(Math.abs(delayMs(attemptNumber, rules, random) - wait)).toBeLessThanOrEqual(Math.ceil(wait * jitter));
      }),
    );
  });
});
