import type { PublishOutcome } from '../../../src/broker/broker';
import { ClaimPace } from '../../../src/outbox/claim-pace';

const NOW_MS = 1_000_000;
const all = (outcome: PublishOutcome, count = 10): PublishOutcome[] => Array.from({ length: count }, () => outcome);

describe('the pace of claims', () => {
  it('is full, without a wait, from the start and while the broker confirms', () => {
    const pace = new ClaimPace(1_000);
    pace.learn(all('confirmed'), NOW_MS);
    expect([pace.limit, pace.atFullSize, pace.waitMs(NOW_MS)]).toEqual([1_000, true, 0]);
  });

  it('I10: begins again with one entry after a channel error, and doubles', () => {
    const pace = new ClaimPace(10);
    pace.learn([...all('confirmed'), 'channel-broken'], NOW_MS);
    const limits = [pace.limit];
    for (let i = 0; i < 5; i++) {
      expect(pace.atFullSize).toBe(pace.limit === 10);
      pace.learn(all('confirmed'), NOW_MS);
      limits.push(pace.limit);
    }
    expect(limits).toEqual([1, 2, 4, 8, 10, 10]);
    expect(pace.waitMs(NOW_MS)).toBe(0); // the neighbours do not wait
  });

  it('I9: pauses longer and longer, and only probes, while nothing at all is confirmed', () => {
    const pace = new ClaimPace(1_000);
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      pace.learn(all('unconfirmed'), NOW_MS);
      waits.push(pace.waitMs(NOW_MS));
      expect(pace.limit).toBe(1);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(pace.waitMs(NOW_MS + 4_999)).toBe(1);
    expect(pace.waitMs(NOW_MS + 6_000)).toBe(0);
    pace.learn(['confirmed'], NOW_MS);
    expect([pace.limit, pace.waitMs(NOW_MS)]).toEqual([2, 0]);
    pace.learn(all('unconfirmed'), NOW_MS);
    expect(pace.waitMs(NOW_MS)).toBe(250);
  });

  it('takes an answer, of whatever kind, for a sign of life', () => {
    for (const outcome of ['unroutable', 'refused', { rejected: 'too large' }] as const) {
      const pace = new ClaimPace(1_000);
      pace.learn([outcome, ...all('unconfirmed')], NOW_MS);
      expect([pace.limit, pace.waitMs(NOW_MS)]).toEqual([1_000, 0]);
    }
  });

  it('looks at no more entries than were as many bytes as a claim may hold, and tries more when they are fewer', () => {
    const pace = new ClaimPace(1_000);
    const limits = [64, 50, undefined, undefined].map((cutAt) => {
      pace.learn(all('confirmed'), NOW_MS, cutAt);
      return pace.limit;
    });
    expect(limits).toEqual([64, 50, 100, 200]);
    pace.learn(['channel-broken'], NOW_MS, 64);
    expect(pace.limit).toBe(1);
  });

  it('learns nothing from nothing', () => {
    const pace = new ClaimPace(5);
    pace.learn([], NOW_MS);
    expect([pace.limit, pace.waitMs(NOW_MS)]).toEqual([5, 0]);
  });
});
