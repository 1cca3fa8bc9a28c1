import { InFlight } from '../../../src/destinations/in-flight';
import { Pace } from '../../../src/destinations/pace';
import { retryAfterMs } from '../../../src/destinations/retry-after';

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-01-31T12:00:00Z');

  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['Saturday, 31-Jan-26 12:00:05 GMT', 5_000],
  ])('%s is %i ms', (text, ms) => expect(retryAfterMs(text, nowMs)).toBe(ms));

  it.each(['', '-1', '1.5', 'soon', '2026-01-31', 'Mon, 99 Foo', '9999999999999', undefined])('%s is nothing', (text) =>
    expect(retryAfterMs(text, nowMs)).toBeUndefined(),
  );
});

describe('Pace', () => {
  it('assigns one turn after the other, none before the earliest time and none later than five minutes', () => {
    const pace = new Pace();
    expect([pace.waitMs(0, 2_000, 5), pace.waitMs(0, 2_000, 5), pace.waitMs(1_000, 0, 5)]).toEqual([
      2_000, 2_005, 1_010,
    ]);
    for (let i = 0; i < 100; i++) expect(pace.waitMs(0, 0, 60_000)).toBeLessThanOrEqual(300_000);
    pace.reset();
    expect(pace.waitMs(0, 0, 5)).toBe(500);
  });
});

describe('deliveries in flight', () => {
  it('are limited, and a freed slot goes to a delivery that waits', async () => {
    const inFlight = new InFlight(2);
    expect([await inFlight.enter(), await inFlight.enter()]).toEqual([true, true]);
    const third = inFlight.enter();
    inFlight.leave();
    await expect(third).resolves.toBe(true);
  });

  it('give up without waiting after one has waited in vain, until a slot is free again', async () => {
    const inFlight = new InFlight(1);
    await inFlight.enter();
    const startedMs = Date.now();
    await expect(inFlight.enter()).resolves.toBe(false);
    const waitedMs = Date.now() - startedMs;
    await expect(inFlight.enter()).resolves.toBe(false);
    expect(Date.now() - startedMs - waitedMs).toBeLessThan(50);
    inFlight.leave();
    await expect(inFlight.enter()).resolves.toBe(true);
  });
});
