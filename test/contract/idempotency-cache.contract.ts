import { randomUUID } from 'node:crypto';
import { sha256 } from '../../src/event/identity/content-hash';
import type { CommittedEvent, IdempotencyCache } from '../../src/redis/idempotency-cache';
import { eventually } from '../support/eventually';
import { atTheEnd, closeAll } from '../support/broker/closing';

export interface Fact {
  digest: string;
  committed: CommittedEvent;
}

export function fact(fields: Partial<CommittedEvent> = {}): Fact {
  const committed = {
    id: randomUUID(),
    fingerprint: sha256(randomUUID()),
    eventId: randomUUID(),
    receivedAt: '2026-11-24T10:00:00.000Z',
    correlationId: 'käse "1"',
    hash: sha256(randomUUID()),
    history: '-4711',
    ...fields,
  };
  return { digest: randomUUID(), committed };
}

/** What ingest relies on with either adapter. `setup` returns an empty cache that is ready. */
export function describeIdempotencyCache(
  name: string,
  setup: (ttlSeconds: number) => Promise<IdempotencyCache> | IdempotencyCache,
): void {
  describe(name, () => {
    let cache: IdempotencyCache;

    const open = async (ttlSeconds: number): Promise<void> => {
      cache = await setup(ttlSeconds);
      atTheEnd(() => cache.close());
      await eventually(() => cache.ping());
    };
    beforeEach(() => open(60));
    afterEach(closeAll);

    it('returns nothing for a digest that it was never given', async () => {
      expect(await cache.lookup([randomUUID()])).toEqual(new Map());
    });

    it('accepts empty lists in remember and lookup', async () => {
      await cache.remember([]);
      expect(await cache.lookup([])).toEqual(new Map());
      const one = fact();
      await cache.remember([one]); // still works right after them
      expect((await cache.lookup([one.digest])).size).toBe(1);
    });

    it('looks up more digests than a command can have arguments', async () => {
      const one = fact();
      await cache.remember([one]);
      const digests = [...Array.from({ length: 9_000 }, () => randomUUID()), one.digest];
      expect([...(await cache.lookup(digests)).keys()]).toEqual([one.digest]);
    });

    it('returns complete facts, and only those that it was given', async () => {
      const facts = Array.from({ length: 300 }, () => fact());
      await cache.remember(facts);
      const digests = facts.flatMap(({ digest }) => [digest, randomUUID()]);
      const found = await cache.lookup([...digests, digests[0] as string]);
      expect(found).toEqual(new Map(facts.map(({ digest, committed }) => [digest, committed])));
    });

    it('returns the latest fact of a digest', async () => {
      const first = fact();
      const second = { ...fact(), digest: first.digest };
      await cache.remember([first]);
      await cache.remember([second]);
      expect((await cache.lookup([first.digest])).get(first.digest)).toEqual(second.committed);
    });

    it('forgets a fact after the TTL, counted from the last remember', async () => {
      await cache.close();
      await open(1);
      const [renewed, old] = [fact(), fact()];
      await cache.remember([old]);
      expect((await cache.lookup([old.digest])).size).toBe(1);
      await eventually(async () => {
        await cache.remember([renewed]);
        expect((await cache.lookup([old.digest])).size).toBe(0);
      });
      expect((await cache.lookup([renewed.digest])).size).toBe(1);
      await eventually(async () => expect((await cache.lookup([renewed.digest])).size).toBe(0));
    });

    it('can be closed twice, and never throws afterwards', async () => {
      await cache.close();
      await cache.close();
      const one = fact();
      await cache.remember([one]);
      await cache.lookup([one.digest]);
    });
  });
}
