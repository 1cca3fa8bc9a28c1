import { DeadlineExceeded, withinDeadline } from '../../../src/runtime/deadline';

const NEVER = new Promise<never>(() => undefined);

describe('withinDeadline', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('gives the result of work that ends in time, and leaves no timer', async () => {
    await expect(withinDeadline(1_000, Promise.resolve('done'))).resolves.toBe('done');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives the error of work that fails in time, and leaves no timer', async () => {
    await expect(withinDeadline(1_000, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('rejects with DeadlineExceeded when the work takes longer', async () => {
    const late = withinDeadline(1_000, NEVER).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_000);
    await expect(late).resolves.toEqual(new DeadlineExceeded('no result within 1000 ms'));
  });

  it('does not reject a millisecond too early', async () => {
    const settled = jest.fn();
    withinDeadline(1_000, NEVER).then(settled, settled);
    await jest.advanceTimersByTimeAsync(999);
    expect(settled).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(settled).toHaveBeenCalled();
  });

  it('rejects with the error that the caller wants', async () => {
    const late = withinDeadline(1_000, NEVER, { late: () => new RangeError('too slow') }).catch(
      (error: unknown) => error,
    );
    await jest.advanceTimersByTimeAsync(1_000);
    await expect(late).resolves.toEqual(new RangeError('too slow'));
  });

  it('ignores work that fails after the deadline', async () => {
    const work = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('too late')), 2_000));
    const late = withinDeadline(1_000, work).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(3_000);
    await expect(late).resolves.toBeInstanceOf(DeadlineExceeded);
  });
});
