import { Logger } from '@nestjs/common';
import { Loop } from '../../../src/runtime/loop';

describe('a loop', () => {
  let runs: number;
  let loop: Loop;
  let logged: { error: jest.SpyInstance; log: jest.SpyInstance };
  beforeEach(() => {
    jest.useFakeTimers();
    logged = {
      error: jest.spyOn(Logger.prototype, 'error').mockImplementation(),
      log: jest.spyOn(Logger.prototype, 'log').mockImplementation(),
    };
    runs = 0;
  });
  afterEach(async () => {
    await loop.stop();
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  /** A loop whose run returns, or throws, what `work` says for that run (from 1). */
  const loopOf = (work: (run: number) => number | Promise<number>): Loop => {
    loop = new Loop('Test', async () => work(++runs));
    return loop;
  };
  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('does nothing before it is started', async () => {
    loopOf(() => 10);
    await pass(1_000);
    expect(runs).toBe(0);
  });

  it('waits after each run as long as the run says', async () => {
    loopOf((run) => (run === 1 ? 100 : 1_000)).start();
    await pass(0);
    expect(runs).toBe(1);
    await pass(99);
    expect(runs).toBe(1);
    await pass(1);
    expect(runs).toBe(2);
    await pass(999);
    expect(runs).toBe(2);
  });

  it('goes on at once while there is more to do', async () => {
    loopOf((run) => (run < 5 ? 0 : 1_000)).start();
    await pass(0);
    expect(runs).toBe(5);
  });

  it('runs once at a time though it is started twice', async () => {
    loopOf(() => 100);
    loop.start();
    loop.start();
    await pass(100);
    expect(runs).toBe(2);
  });

  it('wakes from its wait', async () => {
    loopOf(() => 60_000).start();
    await pass(0);
    loop.wake();
    await pass(0);
    expect(runs).toBe(2);
    await pass(59_999);
    expect(runs).toBe(2);
  });

  it('loses no wake-up that comes during a run, and needs no second wait for it', async () => {
    loopOf((run) => {
      if (run === 1) loop.wake();
      return 60_000;
    }).start();
    await pass(0);
    expect(runs).toBe(2);
  });

  it('goes on a second after a failure', async () => {
    loopOf((run) => {
      if (run === 1) throw new Error('no database');
      return 60_000;
    }).start();
    await pass(999);
    expect(runs).toBe(1);
    await pass(1);
    expect(runs).toBe(2);
  });

  it('reports an outage once, its end once, and the next outage again', async () => {
    loopOf((run) => {
      if (run !== 4) throw new Error('no database');
      return 1_000;
    }).start();
    await pass(2_999);
    expect([runs, logged.error.mock.calls.length, logged.log.mock.calls.length]).toEqual([3, 1, 0]);
    await pass(2_000);
    expect([runs, logged.error.mock.calls.length, logged.log.mock.calls.length]).toEqual([5, 2, 1]);
  });

  it('leaves an outage of PostgreSQL to the one line that all share, and still reports another failure', async () => {
    loopOf((run) => {
      if (run === 3) throw new Error('a bug');
      throw Object.assign(new Error('gone'), { code: '57P01' });
    }).start();
    await pass(1_999);
    expect(logged.error.mock.calls).toEqual([[expect.objectContaining({ class: 'stopped', count: 1 })]]);
    await pass(1_000);
    expect(logged.error.mock.calls.slice(1)).toEqual([
      [expect.objectContaining({ msg: 'a run failed and will be retried' })],
    ]);
  });

  it('I15: stops out of its wait and never runs again', async () => {
    loopOf(() => 60_000).start();
    await pass(0);
    await loop.stop();
    loop.wake();
    await pass(120_000);
    expect(runs).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('I15: lets the run in hand end before it has stopped', async () => {
    let finish: (delayMs: number) => void = () => undefined;
    loopOf(() => new Promise((resolve) => (finish = resolve))).start();
    const steps: string[] = [];
    const stopped = loop.stop().then(() => steps.push('stopped'));
    await pass(10_000);
    steps.push('run ended');
    finish(0);
    await stopped;
    expect(steps).toEqual(['run ended', 'stopped']);
    expect(runs).toBe(1);
  });

  it('can be stopped twice', async () => {
    loopOf(() => 100).start();
    await expect(Promise.all([loop.stop(), loop.stop()])).resolves.toBeDefined();
    await loop.stop();
  });

  it('never starts once it was stopped', async () => {
    loopOf(() => 100);
    await loop.stop();
    loop.start();
    await pass(1_000);
    expect(runs).toBe(0);
  });
});
