import { ElapsedTime } from '../../../src/event/elapsed-time';

describe('elapsed time', () => {
  let awakeMs: number;
  let wallMs: number;
  let uptimeMs: number;
  let asked: number;
  let time: ElapsedTime;
  beforeEach(() => {
    [awakeMs, wallMs, uptimeMs] = [1_000, 1_700_000_000_000, 50_000];
    time = new ElapsedTime({
      awakeMs: () => awakeMs,
      wallMs: () => wallMs,
      uptimeMs: () => {
        asked += 1;
        return Math.floor(uptimeMs / 1_000) * 1_000;
      },
    });
    asked = 0;
  });

  const pass = (ms: number): void => {
    awakeMs += ms;
    wallMs += ms;
    uptimeMs += ms;
  };
  const sleep = (ms: number): void => {
    wallMs += ms;
    uptimeMs += ms;
  };

  it('is that of the monotonic clock, and asks for no other', () => {
    const before = time.nowMs();
    pass(60_000);
    expect([time.nowMs() - before, asked]).toEqual([60_000, 0]);
  });

  it('counts the sleep of the machine', () => {
    const before = time.nowMs();
    pass(5_000);
    sleep(3_600_000);
    pass(10);
    expect(Math.abs(time.nowMs() - before - 3_605_010)).toBeLessThan(1_000);
    sleep(60_000);
    expect(Math.abs(time.nowMs() - before - 3_665_010)).toBeLessThan(1_000);
  });

  it.each([3_600_000, -3_600_000])('does not jump with the clock of the machine (%i ms)', (jumpMs) => {
    const before = time.nowMs();
    pass(20);
    wallMs += jumpMs;
    expect(time.nowMs() - before).toBe(20);
    pass(100);
    expect([time.nowMs() - before, asked]).toEqual([120, 1]);
  });
});
