import { MOST_REPEATS, nextStep, type Tried, type Uncommitted } from '../../../src/worker/settle/next-step';

const START: Tried = { events: 5, mode: 'together', rolledBack: 0, repeats: 0 };
const ONE: Tried = { ...START, events: 1 };
const FAILED: Uncommitted = {
  kind: 'failed',
  byHandler: true,
  failure: 'unexpected',
  timedOut: false,
  known: false,
};
const OURS: Uncommitted = { ...FAILED, byHandler: false };
const TIMED_OUT: Uncommitted = { ...FAILED, timedOut: true };
const TRANSIENT: Uncommitted = { ...FAILED, failure: 'transient' };
const ROLLED_BACK: Uncommitted = { kind: 'rolled-back' };
const isolating = (tried: Tried): Tried => ({ ...tried, mode: 'isolating' });

describe('the step after a pass that did not commit', () => {
  it('is a pass with all events together after one that was rolled back, also while isolating', () => {
    const tried = { ...START, rolledBack: 1 };
    expect(nextStep(ROLLED_BACK, START)).toEqual({ kind: 'pass', tried });
    expect(nextStep(ROLLED_BACK, isolating(START))).toEqual({ kind: 'pass', tried });
  });

  it('is to give up when twice as many passes as there are events were rolled back, and a few more', () => {
    const rolledBack = 2 * START.events + MOST_REPEATS;
    expect(nextStep(ROLLED_BACK, { ...START, rolledBack: rolledBack - 1 })).toMatchObject({ kind: 'pass' });
    expect(nextStep(ROLLED_BACK, { ...START, rolledBack })).toEqual({ kind: 'give-up' });
  });

  it('is to give up when PostgreSQL cannot be reached', () => {
    expect(nextStep({ ...OURS, failure: 'unavailable' }, START)).toEqual({ kind: 'give-up' });
  });

  it('is to look for the event when a handler reports a server that it cannot reach', () => {
    expect(nextStep({ ...FAILED, failure: 'unavailable' }, START)).toEqual({ kind: 'pass', tried: isolating(START) });
  });

  it.each(['together', 'isolating'] as const)('is to repeat a transient failure in the same mode: %s', (mode) => {
    const tried = { ...START, mode };
    expect(nextStep(TRANSIENT, tried)).toEqual({ kind: 'pass', tried: { ...tried, repeats: 1 } });
    expect(nextStep({ ...OURS, failure: 'transient' }, tried)).toMatchObject({ kind: 'pass' });
  });

  it('is no repetition once a transient failure was repeated often enough', () => {
    const tried = { ...START, repeats: MOST_REPEATS };
    expect(nextStep(TRANSIENT, tried)).toEqual({ kind: 'pass', tried: isolating(tried) });
    expect(nextStep(TRANSIENT, isolating(tried))).toEqual({ kind: 'one-by-one' });
    expect(nextStep(TRANSIENT, { ...tried, events: 1 })).toEqual({ kind: 'fail-one' });
  });

  it('is to isolate the events that fail, whoever failed', () => {
    for (const pass of [FAILED, OURS]) {
      expect(nextStep(pass, START)).toEqual({ kind: 'pass', tried: isolating(START) });
    }
  });

  it('is each event by itself after a timeout, or when isolating did not help', () => {
    expect(nextStep(TIMED_OUT, START)).toEqual({ kind: 'one-by-one' });
    expect(nextStep(TIMED_OUT, isolating(START))).toEqual({ kind: 'one-by-one' });
    expect(nextStep(OURS, isolating(START))).toEqual({ kind: 'one-by-one' });
  });

  it('is to fail the only event of a batch when its handler fails or times out', () => {
    expect(nextStep(FAILED, ONE)).toEqual({ kind: 'fail-one' });
    expect(nextStep(TIMED_OUT, ONE)).toEqual({ kind: 'fail-one' });
  });

  it('is to fail the only event for a failure outside of its handlers only after isolating', () => {
    expect(nextStep(OURS, ONE)).toEqual({ kind: 'pass', tried: isolating(ONE) });
    expect(nextStep(OURS, isolating(ONE))).toEqual({ kind: 'fail-one' });
  });

  it('is to give up when the only event times out on a connection that broke', () => {
    expect(nextStep({ ...OURS, timedOut: true }, ONE)).toEqual({ kind: 'give-up' });
  });

  it('is to give up when the only event fails again after it was failed for this', () => {
    expect(nextStep({ ...FAILED, known: true }, ONE)).toEqual({ kind: 'give-up' });
    expect(nextStep({ ...OURS, known: true }, isolating(ONE))).toEqual({ kind: 'give-up' });
  });
});
