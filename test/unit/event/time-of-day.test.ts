import { aheadMs, clockFault, followClock, lookAtClockBy, timeOfDayMs } from '../../../src/event/time-of-day';
import { elapsedMs } from '../../../src/event/elapsed-time';
import { uuidV7, uuidV7Floor } from '../../../src/event/uuid-v7';

const HOUR_MS = 3_600_000;
const MONTHS_MS = 90 * 24 * HOUR_MS;

describe('the time of day', () => {
  const realMs = Date.now.bind(Date);
  let jumpMs = 0;
  let differences = 0;
  beforeEach(() => {
    jumpMs = 0;
    differences = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => realMs() + jumpMs);
    const reading = { atMs: realMs(), ownMs: realMs(), sinceMs: elapsedMs(), doubtMs: 0 };
    lookAtClockBy(() => differences++);
    followClock(reading);
  });
  afterEach(() => jest.restoreAllMocks());

  it.each([0, 900, -900])('is that of the machine while it agrees with PostgreSQL (%i ms)', (ms) => {
    jumpMs = ms;
    expect(Math.abs(timeOfDayMs() - realMs() - ms)).toBeLessThan(500);
    expect(differences).toBe(0);
  });

  it.each([2_000, -2_000, HOUR_MS, -HOUR_MS, MONTHS_MS, -MONTHS_MS])('does not jump with the clock (%i ms)', (ms) => {
    const before = uuidV7();
    jumpMs = ms;
    expect(Math.abs(timeOfDayMs() - realMs())).toBeLessThan(1_000);
    expect(differences).toBeGreaterThan(0);
    const after = uuidV7();
    expect(after > before).toBe(true);
    expect(after < uuidV7Floor(realMs() + 1_000)).toBe(true);
  });
});

describe('a reading that is much in doubt', () => {
  const reading = (aheadByMs: number, doubtMs: number) => ({
    ...{ atMs: Date.now() + aheadByMs, ownMs: Date.now(), sinceMs: elapsedMs(), doubtMs },
  });
  const differenceMs = (): number => timeOfDayMs() - Date.now();
  beforeEach(() => followClock(reading(0, 1)));
  afterAll(() => followClock(reading(0, 1)));

  it('is followed if it shows that the time of day is wrong', () => {
    followClock(reading(HOUR_MS, 3_000));
    expect(Math.abs(differenceMs() - HOUR_MS)).toBeLessThan(500);
    followClock(reading(2_500, 3_000)); // the difference is over, and the reading is worse than the clock
    expect(Math.abs(differenceMs())).toBeLessThan(500);
  });

  it('is not followed if it may be what is wrong', () => {
    followClock(reading(2_500, 3_000));
    expect(Math.abs(differenceMs())).toBeLessThan(500);
  });
});

describe('ids', () => {
  afterEach(() => jest.restoreAllMocks());

  it('do not stay in the future when they were made while the clock was wrong', () => {
    const nowMs = Date.now();
    const wrong = uuidV7(nowMs + HOUR_MS);
    expect(uuidV7(nowMs + HOUR_MS - 5_000) > wrong).toBe(true); // a clock that is adjusted
    expect(uuidV7(nowMs) < uuidV7Floor(nowMs + 1)).toBe(true);
  });
});

describe('a difference of two clocks', () => {
  it('counts only beyond the doubt, from a second on', () => {
    expect(aheadMs({ atMs: 10_000, ownMs: 12_500, sinceMs: 0, doubtMs: 500 })).toBe(2_000);
    expect(aheadMs({ atMs: 12_500, ownMs: 10_000, sinceMs: 0, doubtMs: 500 })).toBe(-2_000);
    expect(aheadMs({ atMs: 10_000, ownMs: 10_400, sinceMs: 0, doubtMs: 500 })).toBe(0);
    expect(clockFault(1_000)).toBeUndefined();
    expect(clockFault(-1_600)).toBe("the clock of this machine is 2 s behind PostgreSQL's: run NTP on both machines.");
  });
});
