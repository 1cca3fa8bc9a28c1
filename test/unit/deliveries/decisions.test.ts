import fc from 'fast-check';
import { classifyAnswer, withoutStatus } from '../../../src/deliveries/decide/classify-answer';
import { DeliveryWindow } from '../../../src/deliveries/decide/delivery-window';
import { FailureWeight } from '../../../src/deliveries/decide/failure-weight';
import {
  afterAttempt,
  type DeliveryRetryRules,
  type TriedDelivery,
} from '../../../src/deliveries/decide/retry-schedule';
import { shareOf, shareOfRate } from '../../../src/deliveries/decide/share';
import { uuidV7 } from '../../../src/event/uuid-v7';

const answered = (status: number, retryAfterMs?: number) =>
  classifyAnswer({
    kind: 'answered',
    status,
    text: 'why',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

describe('an answer', () => {
  it.each([
    [200, 'done', 'success', 'PROCESSED'],
    [299, 'done', 'success', 'PROCESSED'],
    [103, 'retry', 'failure', 'INVALID_RESPONSE'],
    [301, 'fail', 'alive', 'HTTP_3XX'],
    [400, 'fail', 'alive', 'HTTP_4XX'],
    [408, 'retry', 'failure', 'HTTP_4XX'],
    [425, 'retry', 'failure', 'HTTP_4XX'],
    [410, 'gone', 'alive', 'HTTP_4XX'],
    [429, 'slow-down', 'alive', 'HTTP_429'],
    [500, 'retry', 'failure', 'HTTP_5XX'],
    [503, 'retry', 'failure', 'HTTP_5XX'],
    [599, 'retry', 'failure', 'HTTP_5XX'],
    [600, 'fail', 'alive', 'HTTP_5XX'],
    [999, 'fail', 'alive', 'HTTP_5XX'],
  ])('of status %d: %s', (status, kind, health, reasonCode) => {
    expect(answered(status)).toMatchObject({ kind, health, reasonCode, statusCode: status });
  });

  it('of 503 with Retry-After is a slow-down, and of 500 is none', () => {
    expect(answered(503, 2_000)).toMatchObject({ kind: 'slow-down', reasonCode: 'HTTP_5XX', retryAfterSeconds: 2 });
    expect(answered(500, 2_000)).toMatchObject({ kind: 'retry', retryAfterSeconds: 2 });
  });

  it.each([
    ['TIMEOUT', 'retry', 'timeout'],
    ['CONNECTION_FAILED', 'retry', 'failure'],
    ['INVALID_RESPONSE', 'retry', 'failure'],
    ['AUTH_FAILED', 'retry', 'failure'],
    ['ADDRESS_REFUSED', 'fail', 'nothing'],
    ['TRANSFORM_FAILED', 'fail', 'nothing'],
  ])('that never came, %s: %s', (reason, kind, health) => {
    expect(withoutStatus(reason, 'why')).toMatchObject({ kind, health, reasonCode: reason, statusCode: null });
  });
});

describe('the next step', () => {
  const rules: DeliveryRetryRules = { schedule: [5, 300, 1_800], jitter: 0, mostSlowDownSeconds: 432_000 };
  const fresh: TriedDelivery = { attempts: 0, tries: 0, ageSeconds: 0, failingSeconds: 0 };
  const retry = { kind: 'retry' } as const;
  const slowDown = { kind: 'slow-down', retryAfterSeconds: 1 } as const;

  it('after n waits is the last of n + 1 tries', () => {
    const steps = [0, 1, 2, 3].map((tries) => afterAttempt(retry, { ...fresh, tries }, rules, 0.5));
    expect(steps).toEqual([
      { kind: 'retry', waitSeconds: 5, usesTry: true },
      { kind: 'retry', waitSeconds: 300, usesTry: true },
      { kind: 'retry', waitSeconds: 1_800, usesTry: true },
      { kind: 'failed', exhausted: true },
    ]);
  });

  it('without waits is the end', () => {
    expect(afterAttempt(retry, fresh, { ...rules, schedule: [] }, 0.5)).toEqual({ kind: 'failed', exhausted: true });
  });

  it('waits for the longer of the schedule and Retry-After, at most a day', () => {
    const wait = (retryAfterSeconds: number) => afterAttempt({ ...retry, retryAfterSeconds }, fresh, rules, 0.5);
    expect(wait(3)).toMatchObject({ waitSeconds: 5 });
    expect(wait(60)).toMatchObject({ waitSeconds: 60 });
    expect(wait(1_000_000)).toMatchObject({ waitSeconds: 86_400 });
  });

  it('varies a wait by the jitter', () => {
    const wait = (random: number) => afterAttempt(retry, fresh, { ...rules, jitter: 0.2 }, random);
    expect([wait(0), wait(0.5), wait(1)]).toMatchObject([{ waitSeconds: 4 }, { waitSeconds: 5 }, { waitSeconds: 6 }]);
  });

  it('after a slow-down uses up no try, and is not earlier than asked', () => {
    const step = afterAttempt(slowDown, { ...fresh, tries: 3 }, { ...rules, jitter: 0.2 }, 1);
    expect(step).toEqual({ kind: 'retry', waitSeconds: 1.2, usesTry: false });
  });

  it('after a slow-down that does not say for how long waits twice as long each time, however long it was queued', () => {
    const queued = { ...fresh, ageSeconds: 9_000 };
    const wait = (attempts: number) => afterAttempt({ kind: 'slow-down' }, { ...queued, attempts }, rules, 0);
    const steps = [0, 1, 5, 9, 5_000].map(wait);
    expect(steps.map((step) => step.kind === 'retry' && step.waitSeconds)).toEqual([1, 2, 32, 300, 300]);
  });

  it('after a slow-down uses up tries once the destination had no success for the span of the schedule', () => {
    const after = (failingSeconds: number) => afterAttempt(slowDown, { ...fresh, failingSeconds }, rules, 0.5);
    expect(after(2_104)).toMatchObject({ usesTry: false });
    expect(after(2_105)).toEqual({ kind: 'retry', waitSeconds: 5, usesTry: true });
    const last = { ...fresh, tries: 3, failingSeconds: 2_105 };
    expect(afterAttempt(slowDown, last, rules, 0.5)).toEqual({ kind: 'failed', exhausted: true });
  });

  it('after a slow-down uses up tries once the delivery is older than DESTINATION_DISABLE_AFTER_HOURS', () => {
    expect(afterAttempt(slowDown, { ...fresh, ageSeconds: 432_000 }, rules, 0.5)).toMatchObject({ usesTry: true });
  });

  it.each(['fail', 'gone'] as const)('after %s is the end, with no exhaustion', (kind) => {
    expect(afterAttempt({ kind }, fresh, rules, 0.5)).toEqual({ kind: 'failed', exhausted: false });
  });

  it('always comes to an end: tries only grow, and there are no more of them than the schedule has', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 604_800, noNaN: true }), { maxLength: 20 }), (schedule) => {
        let tries = 0;
        for (;;) {
          const step = afterAttempt(retry, { ...fresh, tries }, { ...rules, schedule }, 0.5);
          if (step.kind !== 'retry') break;
          tries += 1;
        }
        expect(tries).toBe(schedule.length);
      }),
    );
  });
});

describe('the window of a destination', () => {
  it('starts with four places, gets one more with every success, and half as many after a timeout', () => {
    const window = new DeliveryWindow();
    expect(window.places(8)).toBe(4);
    expect(window.places(2)).toBe(2);
    for (let i = 0; i < 10; i++) window.succeeded(8);
    expect(window.places(8)).toBe(8);
    window.timedOut();
    expect(window.places(8)).toBe(4);
    for (let i = 0; i < 5; i++) window.timedOut();
    expect(window.places(8)).toBe(1);
  });
});

describe('the weight of failures', () => {
  it('opens the circuit after twenty quick failures or five timeouts without a sign of life between', () => {
    const quick = new FailureWeight();
    expect(Array.from({ length: 20 }, () => quick.add('failure')).indexOf(true)).toBe(19);
    const slow = new FailureWeight();
    expect(Array.from({ length: 5 }, () => slow.add('timeout')).indexOf(true)).toBe(4);
  });

  it.each(['success', 'alive'] as const)('begins again after %s', (health) => {
    const weight = new FailureWeight();
    for (let i = 0; i < 19; i++) weight.add('failure');
    weight.add(health);
    expect(weight.add('failure')).toBe(false);
  });

  it('knows nothing from a request that was never sent', () => {
    const weight = new FailureWeight();
    for (let i = 0; i < 19; i++) weight.add('failure');
    expect(weight.add('nothing')).toBe(false);
    expect(weight.add('failure')).toBe(true);
  });
});

describe('the shares of a limit', () => {
  it('add up to the limit exactly, for any number of processes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 256 }), fc.integer({ min: 1, max: 40 }), (most, processes) => {
        const id = uuidV7();
        const shares = Array.from({ length: processes }, (_, rank) => shareOf(most, { rank, processes }, id));
        expect(shares.reduce((a, b) => a + b)).toBe(most);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('spread destinations with one place over all processes', () => {
    const ids = Array.from({ length: 200 }, () => uuidV7());
    for (let rank = 0; rank < 4; rank++) {
      const own = ids.filter((id) => shareOf(1, { rank, processes: 4 }, id) === 1);
      expect(own.length).toBeGreaterThan(20);
    }
  });

  it('of a rate are fractions', () => {
    expect(shareOfRate(5, { processes: 2 })).toBe(2.5);
    expect(shareOfRate(5, { processes: 0 })).toBe(5);
  });
});
