import { DeliveryLine } from '../../../src/deliveries/delivery-line';
import type { SealedDestination } from '../../../src/destinations/destination';

const NOW_MS = 1_000_000;
const GIVEN = {
  id: '00000000-0000-7000-8000-000000000001',
  revision: 1,
  enabled: true,
  pausedAt: null,
  maxInFlight: 8,
  ratePerSecond: null,
} as SealedDestination;

describe('a line of deliveries to a destination', () => {
  const given = (): DeliveryLine => {
    const line = new DeliveryLine(GIVEN);
    line.share({ rank: 0, processes: 1 });
    return line;
  };
  const isUsed = (line: DeliveryLine): boolean[] => {
    const reserved = line.reserve(NOW_MS);
    if (reserved) line.giveBack(NOW_MS);
    line.dueMs = NOW_MS;
    const wants = line.wanted(NOW_MS) > 0;
    const waits = line.nextMs(NOW_MS) < Infinity;
    line.dueMs = Infinity;
    return [line.takes, reserved, wants, waits];
  };

  it('is used while the destination is active', () => {
    expect(isUsed(given())).toEqual([true, true, true, true]);
  });

  it.each<[string, Partial<SealedDestination> | undefined]>([
    ['disabled', { enabled: false }],
    ['paused', { pausedAt: '2026-11-30T08:00:00.000Z' }],
    ['deleted', undefined],
  ])('is not used any more as soon as it is known to be %s', (_, change) => {
    const line = given();
    line.change(change && { ...GIVEN, revision: 2, ...change });
    expect(isUsed(line)).toEqual([false, false, false, false]);
  });

  it('is not used any more once this revision has answered 410, but as soon as it is changed', () => {
    const line = given();
    expect(line.gone(1)).toBe(true);
    expect(isUsed(line)).toEqual([false, false, false, false]);
    line.change({ ...GIVEN, revision: 2 });
    line.share({ rank: 0, processes: 1 });
    expect(isUsed(line)).toEqual([true, true, true, true]);
  });
});
