import fc from 'fast-check';
import { evenLimit, waitMs } from '../../../src/ingest/stream/even-pace';

const limit = fc.integer({ min: 1, max: 1_000_000 });
const endsInMs = fc.integer({ min: 0, max: 60_000 });

describe('an even pace', () => {
  it.each([
    [600, 60_000, 10],
    [600, 30_000, 310],
    [600, 1_000, 600],
    [600, 0, 600],
    [7, 60_000, 1],
    [7, 50_000, 1],
    [7, 30_000, 3],
  ])('allows of a limit of %i, when the minute ends in %i ms, %i events', (of, endsIn, allowed) => {
    expect(evenLimit({ limit: of, endsInMs: endsIn })).toBe(allowed);
  });

  it('allows more and more, at least one event and at most the limit', () => {
    fc.assert(
      fc.property(limit, endsInMs, endsInMs, (of, one, other) => {
        const [late, early] = [Math.min(one, other), Math.max(one, other)];
        const before = evenLimit({ limit: of, endsInMs: early });
        const after = evenLimit({ limit: of, endsInMs: late });
        expect(before).toBeGreaterThanOrEqual(1);
        expect(after).toBeGreaterThanOrEqual(before);
        expect(after).toBeLessThanOrEqual(of);
      }),
    );
  });

  it('waits from 20 ms to a second, and until there is room', () => {
    fc.assert(
      fc.property(limit, endsInMs, fc.integer({ min: 0, max: 1_000_000 }), (of, endsIn, used) => {
        const wait = waitMs({ limit: of, used, endsInMs: endsIn }, 200);
        expect(wait).toBeGreaterThanOrEqual(20);
        expect(wait).toBeLessThanOrEqual(1_000);
        const later = evenLimit({ limit: of, endsInMs: Math.max(0, endsIn - wait) });
        if (wait < 1_000 && used < of && endsIn > wait) expect(later).toBeGreaterThan(Math.min(used, of - 1));
      }),
    );
  });

  it('waits for a whole batch only if it fits into a second', () => {
    const minute = { limit: 60_000, used: 31_000, endsInMs: 30_000 };
    expect(waitMs(minute, 200)).toBe(200);
    expect(waitMs(minute, 5_000)).toBe(1_000);
    expect(waitMs({ ...minute, used: 60_000 }, 200)).toBe(1_000);
  });
});
