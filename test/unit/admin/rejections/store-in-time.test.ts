import { storeInTime } from '../../../../src/admin/rejections/resubmission/store-in-time';
import type { PreparedEvent } from '../../../../src/event/prepare-event';
import type { IngestResult } from '../../../../src/ingest/store/store-batch';
import { prepared } from '../../../support/events';

const results = (events: readonly PreparedEvent[]): IngestResult[] =>
  events.map(({ event, fingerprint }) => ({ kind: 'accepted', committed: { ...event, fingerprint, history: null } }));
const events = Array.from({ length: 1_200 }, () => prepared());

describe('storeInTime', () => {
  it('hands over at most 500 events at a time, and returns their results in order', async () => {
    const sizes: number[] = [];
    const acceptAll = (slice: readonly PreparedEvent[]) => {
      sizes.push(slice.length);
      return Promise.resolve({ results: results(slice) });
    };
    const stored = await storeInTime({ acceptAll }, events);
    expect(sizes).toEqual([500, 500, 200]);
    expect(stored).toEqual({ results: results(events) });
  });

  it('returns the results before a failure, and hands over nothing after it', async () => {
    const failure = new Error('PostgreSQL is down');
    let calls = 0;
    const acceptAll = (slice: readonly PreparedEvent[]) => {
      calls += 1;
      return Promise.resolve(calls === 1 ? { results: results(slice) } : { results: [], failure });
    };
    expect(await storeInTime({ acceptAll }, events)).toEqual({ results: results(events.slice(0, 500)), failure });
    expect(calls).toBe(2);
  });

  it('gives up at the deadline with what it knows, and hands over nothing more', async () => {
    const late = Promise.withResolvers<void>();
    const signals: (AbortSignal | undefined)[] = [];
    const acceptAll = async (slice: readonly PreparedEvent[], signal?: AbortSignal) => {
      signals.push(signal);
      if (signals.length === 2) await late.promise;
      return { results: results(slice) };
    };
    const stored = await storeInTime({ acceptAll }, events, 20);
    expect(stored.results).toHaveLength(500);
    expect(stored.failure).toMatchObject({ name: 'DeadlineExceeded' });
    expect(signals[1]?.aborted).toBe(true);
    late.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(signals).toHaveLength(2);
    expect(stored.results).toHaveLength(500);
  });

  it('passes on what is no failure of storing', async () => {
    const acceptAll = () => Promise.reject(new TypeError('a bug'));
    await expect(storeInTime({ acceptAll }, events)).rejects.toThrow('a bug');
  });
});
