import { inParallel } from '../../sensitivity/run/in-parallel';
import { judge, outcomeOf, type Findings } from '../../sensitivity/run/outcome';
import { faultNoticedBy, VERIFY_RUN } from './given';
import { tasksFor, type Task } from '../../sensitivity/run/task';

const [, byVerify] = tasksFor([faultNoticedBy(VERIFY_RUN)]) as [Task, Task];
const [unchanged, byTests] = tasksFor([faultNoticedBy({ tests: ['test/unit/a.test.ts'] })]) as [Task, Task];
const never = new AbortController().signal;

describe('the result of a task', () => {
  it('is noticed if the run reports a violation that is listed', () => {
    const broken = new Map([
      ['changed' as const, 3],
      ['metrics' as const, 1],
    ]);
    expect(judge(byVerify, { broken, output: '' })).toEqual({
      result: 'noticed',
      by: ['verify: changed 3, metrics 1'],
    });
  });

  it('is unnoticed if the run reports other violations only', () => {
    const broken = new Map([['metrics' as const, 1]]);
    expect(judge(byVerify, { broken, output: '' })).toEqual({ result: 'unnoticed', by: ['verify: metrics 1'] });
  });

  it('is noticed if a test fails, and on the unchanged tree that is a failure', () => {
    const findings = { failedTests: ['a: does it'], output: '' };
    expect(judge(byTests, findings).result).toBe('noticed');
    expect(judge(byTests, { failedTests: [], output: '' }).result).toBe('unnoticed');
    expect(judge(unchanged, findings).result).toBe('failed');
    expect(judge(unchanged, { failedTests: [], output: '' }).result).toBe('passed');
  });
});

describe('an inconclusive try', () => {
  it('is repeated once', async () => {
    let tries = 0;
    const attempt = (): Promise<Findings> =>
      ++tries === 1
        ? Promise.reject(new Error('a server does not start'))
        : Promise.resolve({ failedTests: ['a'], output: '' });
    expect(await outcomeOf(byTests, attempt, never)).toMatchObject({ result: 'noticed', tries: 2 });
  });

  it('is reported with its reason if the second one is inconclusive, too', async () => {
    const attempt = (): Promise<never> => Promise.reject(new Error('a server does not start'));
    const outcome = await outcomeOf(byTests, attempt, never);
    expect(outcome).toMatchObject({ result: 'inconclusive', by: ['a server does not start'], tries: 2 });
  });

  it('keeps what was printed only if the result is not as it should be', async () => {
    const findings = (failedTests: string[]) => (): Promise<Findings> =>
      Promise.resolve({ failedTests, output: 'what Jest printed' });
    expect((await outcomeOf(byTests, findings([]), never)).output).toBe('what Jest printed');
    expect((await outcomeOf(byTests, findings(['a']), never)).output).toBeUndefined();
  });

  it('is no outcome when the command was stopped', async () => {
    const stop = new AbortController();
    const attempt = (): Promise<never> => {
      stop.abort(new Error('got SIGTERM'));
      return Promise.reject(new Error('killed'));
    };
    await expect(outcomeOf(byTests, attempt, stop.signal)).rejects.toThrow('got SIGTERM');
  });
});

describe('tasks that run at the same time', () => {
  it('start in their order, and each runs once', async () => {
    const started: number[] = [];
    const work = async (task: number): Promise<void> => void (await Promise.resolve(started.push(task)));
    await inParallel([1, 2, 3, 4, 5], [work, work]);
    expect(started).toEqual([1, 2, 3, 4, 5]);
  });

  it('are as many as there are workers', async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    await inParallel([1, 2, 3, 4, 5], [work, work]);
    expect(most).toBe(2);
  });

  it('are not followed by others after an error', async () => {
    const started: number[] = [];
    const work = (task: number): Promise<void> => {
      started.push(task);
      return Promise.reject(new Error('stopped'));
    };
    await expect(inParallel([1, 2, 3], [work, work])).rejects.toThrow('stopped');
    expect(started).not.toContain(3);
  });
});
