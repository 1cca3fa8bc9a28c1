import * as fc from 'fast-check';
import { InvalidPayloadError, type UnfinishedResult } from '../../../src/worker/handler';
import {
  classifyError,
  postponeTenant,
  decide,
  moreSevere,
  type RetryRules,
} from '../../../src/worker/settle/retry-policy';

const RULES: RetryRules = { MAX_RETRY_ATTEMPTS: 5, RETRY_BACKOFF_MS: [1_000, 5_000, 30_000], RETRY_JITTER: 0.2 };
const STEADY: RetryRules = { ...RULES, RETRY_JITTER: 0 };
const RETRY: UnfinishedResult = { kind: 'retry', reasonCode: 'HTTP_5XX', message: 'HTTP 503' };

function delayMs(attemptNumber: number, rules = RULES, random = 0.5, result = RETRY): number {
  const decision = decide(result, attemptNumber, rules, random);
  if (decision.kind !== 'retry') throw new Error('it was dead-lettered');
  return decision.delayMs;
}

describe('after a failed attempt', () => {
  it('the waits follow in order and the last one repeats', () => {
    expect([1, 2, 3, 4].map((attemptNumber) => delayMs(attemptNumber, STEADY))).toEqual([1_000, 5_000, 30_000, 30_000]);
  });

  it('the last attempt is followed by the dead letter, which keeps the last reason and is exhausted', () => {
    expect(decide(RETRY, 4, RULES, 0.5)).toMatchObject({ kind: 'retry', reasonCode: 'HTTP_5XX', message: 'HTTP 503' });
    for (const attemptNumber of [5, 6]) {
      expect(decide(RETRY, attemptNumber, RULES, 0.5)).toEqual({
        kind: 'dead-letter',
        reasonCode: 'HTTP_5XX',
        message: 'HTTP 503',
        exhausted: true,
      });
    }
  });

  it('a single attempt may be all there is', () => {
    expect(decide(RETRY, 1, { ...RULES, MAX_RETRY_ATTEMPTS: 1 }, 0.5).kind).toBe('dead-letter');
  });

  it('a non-retryable one is a dead letter at once, with its own reason', () => {
    const result: UnfinishedResult = { kind: 'dead-letter', reasonCode: 'INVALID_PAYLOAD', message: 'no amount' };
    expect(decide(result, 1, RULES, 0.5)).toEqual({ ...result, exhausted: false });
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

  it('a Retry-After is honoured when it is longer than the backoff, up to a day', () => {
    expect(delayMs(1, STEADY, 0.5, { ...RETRY, afterMs: 7_000 })).toBe(7_000);
    expect(delayMs(1, STEADY, 0.5, { ...RETRY, afterMs: 10 })).toBe(1_000);
    expect(delayMs(1, STEADY, 0.5, { ...RETRY, afterMs: -5 })).toBe(1_000);
    expect(delayMs(1, STEADY, 0.5, { ...RETRY, afterMs: 1e12 })).toBe(86_400_000);
  });
});

describe('a postponed event', () => {
  it('comes back when it was asked to, however many attempts it had', () => {
    const result: UnfinishedResult = { kind: 'postpone', reasonCode: 'CIRCUIT_OPEN', afterMs: 4_200 };
    expect(decide(result, 99, RULES, 0)).toEqual({
      kind: 'postpone',
      reasonCode: 'CIRCUIT_OPEN',
      message: '',
      delayMs: 4_200,
    });
  });

  it('waits longer each time that it was crowded out, up to a minute', () => {
    const waits = [1, 2, 3, 20, 2_000].map((dispatchNo) => postponeTenant(dispatchNo, 0.5));
    expect(waits.map((wait) => (wait.kind === 'postpone' ? wait.afterMs : 0))).toEqual([
      1_000, 2_000, 4_000, 60_000, 60_000,
    ]);
  });
});

describe('of two results of one event', () => {
  const dead: UnfinishedResult = { kind: 'dead-letter', reasonCode: 'HTTP_4XX' };
  const later: UnfinishedResult = { ...RETRY, afterMs: 60_000 };
  const postponed: UnfinishedResult = { kind: 'postpone', reasonCode: 'CONCURRENCY_LIMIT', afterMs: 1 };

  it.each([
    ['a dead letter', dead, RETRY, dead],
    ['a retry', RETRY, postponed, RETRY],
    ['the longer wait', RETRY, later, later],
  ])('%s counts, in either order', (_, a, b, expected) => {
    expect(moreSevere(a, b)).toBe(expected);
    expect(moreSevere(b, a)).toBe(expected);
  });
});

describe('an error', () => {
  const coded = (code: string): Error => Object.assign(new Error('it broke'), { code });
  const http = (status: number, more = {}): Error => Object.assign(new Error(`HTTP ${status}`), { status, ...more });

  it.each([
    [http(429, { retryAfterMs: 3_000 }), 'retry', 'HTTP_429'],
    [http(408), 'retry', 'HTTP_4XX'],
    [http(425), 'retry', 'HTTP_4XX'],
    [http(500), 'retry', 'HTTP_5XX'],
    [http(503), 'retry', 'HTTP_5XX'],
    [http(400), 'dead-letter', 'HTTP_4XX'],
    [http(404), 'dead-letter', 'HTTP_4XX'],
    [http(410), 'dead-letter', 'HTTP_4XX'],
    [http(302), 'dead-letter', 'HTTP_3XX'],
    [http(200), 'retry', 'HANDLER_ERROR'],
    [new DOMException('aborted', 'TimeoutError'), 'retry', 'TIMEOUT'],
    [new DOMException('aborted', 'AbortError'), 'retry', 'TIMEOUT'],
    [coded('ETIMEDOUT'), 'retry', 'TIMEOUT'],
    [coded('UND_ERR_HEADERS_TIMEOUT'), 'retry', 'TIMEOUT'],
    [coded('ECONNREFUSED'), 'retry', 'CONNECTION_FAILED'],
    [new TypeError('fetch failed', { cause: coded('ENOTFOUND') }), 'retry', 'CONNECTION_FAILED'],
    [new InvalidPayloadError('no amount'), 'dead-letter', 'INVALID_PAYLOAD'],
    [coded('23505'), 'retry', 'HANDLER_ERROR'],
    [new SyntaxError('in an answer'), 'retry', 'HANDLER_ERROR'],
    ['only text', 'retry', 'HANDLER_ERROR'],
    [undefined, 'retry', 'HANDLER_ERROR'],
  ])('%s is a %s with %s', (error, kind, reasonCode) => {
    expect(classifyError(error)).toMatchObject({ kind, reasonCode });
  });

  it('brings its Retry-After along, and its text or whatever else names it', () => {
    expect(classifyError(http(429, { retryAfterMs: 3_000 }))).toMatchObject({ afterMs: 3_000, message: 'HTTP 429' });
    expect(classifyError(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))).toMatchObject({
      message: 'ECONNREFUSED',
      reasonCode: 'CONNECTION_FAILED',
    });
  });
});
