import type { CommittedEvent } from '../../../src/redis/idempotency-cache';
import { MemoryCache } from '../../../src/redis/memory-cache';
import { committedFacts } from '../../../src/ingest/store/store-batch';
import { prepared } from '../../support/events';

const committed = committedFacts(prepared(), '1');
const facts = (...digests: string[]): { digest: string; committed: CommittedEvent }[] =>
  digests.map((digest) => ({ digest, committed }));

describe('MemoryCache', () => {
  const known = async (cache: MemoryCache, ...digests: string[]): Promise<string[]> => [
    ...(await cache.lookup(digests)).keys(),
  ];

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('returns the facts that it was given, and nothing else', async () => {
    const cache = new MemoryCache(60);
    await cache.remember(facts('a', 'b'));
    expect(await cache.lookup(['x', 'a'])).toEqual(new Map([['a', committed]]));
    expect(await known(cache)).toEqual([]);
  });

  it('forgets a fact after the TTL', async () => {
    const cache = new MemoryCache(60);
    await cache.remember(facts('a'));
    jest.advanceTimersByTime(59_999);
    expect(await known(cache, 'a')).toEqual(['a']);
    jest.advanceTimersByTime(1);
    expect(await known(cache, 'a')).toEqual([]);
  });

  it('holds a bounded number of facts and keeps at least the newer half', async () => {
    const cache = new MemoryCache(60, 4);
    await cache.remember(facts('a', 'b', 'c', 'd'));
    expect(await known(cache, 'a', 'b', 'c', 'd')).toEqual(['a', 'b', 'c', 'd']);
    await cache.remember(facts('e'));
    expect(await known(cache, 'a', 'b', 'c', 'd', 'e')).toEqual(['c', 'd', 'e']);
    await cache.remember(facts('c'));
    await cache.remember(facts('f'));
    expect(await known(cache, 'c', 'd', 'e', 'f')).toEqual(['c', 'e', 'f']);
  });

  it('restarts the TTL of a fact that it is given again', async () => {
    const cache = new MemoryCache(60);
    await cache.remember(facts('a'));
    jest.advanceTimersByTime(40_000);
    await cache.remember(facts('a'));
    jest.advanceTimersByTime(40_000);
    expect(await known(cache, 'a')).toEqual(['a']);
  });

  it('always answers a ping, and is empty after close', async () => {
    const cache = new MemoryCache(60);
    await cache.remember(facts('a'));
    await expect(cache.ping()).resolves.toBeUndefined();
    await cache.close();
    expect(await known(cache, 'a')).toEqual([]);
  });
});
