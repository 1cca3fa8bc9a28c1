import { batchWaitMs, MOST_IN_A_BATCH } from '../../../src/deliveries/decide/batch-wait';

describe('the wait of a batch of attempts', () => {
  it('is over at once after a pause', () => {
    expect(batchWaitMs({ waiting: 1, ordered: false, sinceBeforeMs: 25 })).toBe(0);
    expect(batchWaitMs({ waiting: 1, ordered: false, sinceBeforeMs: Infinity })).toBe(0);
  });

  it('ends 25 ms after the batch before has begun', () => {
    expect(batchWaitMs({ waiting: 1, ordered: false, sinceBeforeMs: 0 })).toBe(25);
    expect(batchWaitMs({ waiting: 199, ordered: false, sinceBeforeMs: 7 })).toBe(18);
  });

  it('is short while an attempt of an ordered destination waits', () => {
    expect(batchWaitMs({ waiting: 1, ordered: true, sinceBeforeMs: 0 })).toBe(5);
    expect(batchWaitMs({ waiting: 1, ordered: true, sinceBeforeMs: 6 })).toBe(0);
  });

  it('is over at once for a full batch', () => {
    expect(batchWaitMs({ waiting: MOST_IN_A_BATCH, ordered: false, sinceBeforeMs: 0 })).toBe(0);
  });
});
