import type { DeliveryResult } from '../../../src/destinations/courier';
import { combine, type DestinationOutcome } from '../../../src/worker/handlers/destination-results';

const answered = (status: number, retryAfterMs?: number): DeliveryResult =>
  retryAfterMs === undefined
    ? { kind: 'answered', status, text: '' }
    : { kind: 'answered', status, text: '', retryAfterMs };
const held = (afterMs: number): DeliveryResult => ({ kind: 'held', reason: 'CIRCUIT_OPEN', message: 'open', afterMs });
const failed = (reason: 'TIMEOUT' | 'CONNECTION_FAILED' | 'ADDRESS_REFUSED'): DeliveryResult => ({
  kind: 'failed',
  reason,
  message: 'm',
});
/** Destinations a, b, c … in this order. */
const of = (...outcomes: DeliveryResult[]): DestinationOutcome[] =>
  outcomes.map((outcome, i) => ({ destinationId: String.fromCharCode(97 + i), outcome }));

describe('one destination', () => {
  it.each([
    [answered(200), { kind: 'done' }],
    [answered(204), { kind: 'done' }],
    [answered(302), { kind: 'dead-letter', reasonCode: 'HTTP_3XX' }],
    [answered(400), { kind: 'dead-letter', reasonCode: 'HTTP_4XX' }],
    [answered(410), { kind: 'dead-letter', reasonCode: 'HTTP_4XX' }],
    [answered(408), { kind: 'retry', reasonCode: 'HTTP_4XX' }],
    [answered(425), { kind: 'retry', reasonCode: 'HTTP_4XX' }],
    [answered(429, 7), { kind: 'retry', reasonCode: 'HTTP_429', afterMs: 7 }],
    [answered(503, 9), { kind: 'retry', reasonCode: 'HTTP_5XX', afterMs: 9 }],
    [failed('TIMEOUT'), { kind: 'retry', reasonCode: 'TIMEOUT' }],
    [failed('CONNECTION_FAILED'), { kind: 'retry', reasonCode: 'CONNECTION_FAILED' }],
    [failed('ADDRESS_REFUSED'), { kind: 'dead-letter', reasonCode: 'ADDRESS_REFUSED' }],
    [held(5), { kind: 'postpone', reasonCode: 'CIRCUIT_OPEN', afterMs: 5 }],
  ])('%j', (outcome, result) => {
    expect(combine(of(outcome), [])).toMatchObject(result);
  });
});

describe('several destinations', () => {
  it('are done when all are', () => {
    expect(combine(of(answered(200), answered(201)), [])).toEqual({ kind: 'done' });
    expect(combine([], [])).toEqual({ kind: 'done' });
  });

  it('remember who has answered 2xx', () => {
    const result = combine(of(answered(200), answered(500), held(9)), []);
    expect(result).toMatchObject({ kind: 'retry', reasonCode: 'HTTP_5XX', effects: ['destination:a'] });
  });

  it('wait for the longest that one asks for', () => {
    expect(combine(of(answered(429, 5), answered(503, 9)), [])).toMatchObject({ reasonCode: 'HTTP_5XX', afterMs: 9 });
  });

  it('go on with those that may succeed and remember a refusal, which is the end once the others are settled', () => {
    const first = combine(of(answered(400), answered(500)), []);
    expect(first).toMatchObject({ kind: 'retry', reasonCode: 'HTTP_5XX', effects: ['destination-refused:a'] });
    const last = combine([{ destinationId: 'b', outcome: answered(200) }], ['a']);
    expect(last).toMatchObject({ kind: 'dead-letter', reasonCode: 'HTTP_4XX', effects: ['destination:b'] });
  });

  it('count a refusal as an attempt although the others only wait, and waiting alone as none', () => {
    expect(combine(of(answered(400), held(9)), [])).toMatchObject({ kind: 'retry', afterMs: 9 });
    expect(combine([{ destinationId: 'b', outcome: held(9) }], ['a'])).toMatchObject({ kind: 'postpone', afterMs: 9 });
  });

  it('are a dead letter without anything to remember when nothing else is left', () => {
    expect(combine(of(answered(400), answered(200)), [])).toMatchObject({
      kind: 'dead-letter',
      effects: ['destination:b'],
    });
  });
});
