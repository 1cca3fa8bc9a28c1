import { RareLog } from '../../../src/observability/rare-log';
import { WorkProgress } from '../../../src/observability/work-progress';
import { stuckWorker } from '../../../src/operations/readiness';

describe('the work in hand', () => {
  let nowMs = 0;
  let progress: WorkProgress;
  const watch = () => progress.watch(() => nowMs);
  beforeEach(() => {
    nowMs = 0;
    progress = new WorkProgress();
  });

  it('is stuck if nothing of it was settled for a minute', () => {
    const messages = watch();
    messages.took(12);
    nowMs = 59_999;
    expect(stuckWorker(progress, nowMs)).toBeUndefined();
    nowMs = 75_000;
    expect(stuckWorker(progress, nowMs)).toEqual({
      status: 'down',
      message: 'has settled nothing for 75 s, with 12 messages in hand',
    });
    messages.settled(1);
    expect(stuckWorker(progress, nowMs)).toBeUndefined();
  });

  it('is not stuck while there is none', () => {
    const messages = watch();
    nowMs = 1_000_000;
    expect(progress.longestStall(nowMs)).toBeUndefined();
    messages.took(1);
    expect(progress.longestStall(nowMs)).toEqual({ forMs: 0, inHand: 1 });
    messages.gaveBack(1);
    expect(progress.longestStall(nowMs)).toBeUndefined();
  });

  it('of one kind does not hide that another one is stuck', () => {
    const [main, retry] = [watch(), watch()];
    main.took(5);
    retry.took(2);
    for (nowMs = 0; nowMs < 90_000; nowMs += 10_000) main.settled(0);
    expect(progress.longestStall(nowMs)).toEqual({ forMs: 90_000, inHand: 2 });
  });

  it('that is given back is not settled', () => {
    const messages = watch();
    messages.took(2);
    nowMs = 61_000;
    messages.gaveBack(1);
    expect(progress.longestStall(nowMs)).toEqual({ forMs: 61_000, inHand: 1 });
  });
});

describe('a rare log', () => {
  it('writes one line a minute, which stands for those before it', () => {
    const lines: number[] = [];
    const log = new RareLog();
    for (let nowMs = 0; nowMs < 150_000; nowMs += 10_000) log.log((count) => lines.push(count), 2, nowMs);
    expect(lines).toEqual([2, 12, 12]);
  });
});
