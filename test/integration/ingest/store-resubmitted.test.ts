import { rejectionKey } from '../../../src/event/identity/idempotency-key';
import type { PreparedEvent } from '../../../src/event/prepare-event';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { storeBatch } from '../../../src/ingest/store/store-batch';
import { prepared } from '../../support/events';
import { useWriters } from '../../support/fixtures/writers';
import { countRows } from '../../support/rows';
import { kinds, twins } from '../../support/prepared-variants';

const writers = useWriters();
const { store } = writers;

const keyOfNew = (): string => rejectionKey('acme', uuidV7(), 1);
/** An event that an operator makes from the rejection with this key. */
const made = (rejectionDigest: string, fields: object = {}, context: object = {}): PreparedEvent => ({
  ...prepared({ subject: `s-${uuidV7()}`, ...fields }, context),
  rejectionDigest,
});
const holderOf = async (digest: string | undefined): Promise<string | undefined> => {
  const { rows } = await writers.pool.query<{ id: string }>(
    `select event_id as id from idempotency_keys where digest = decode($1, 'hex')`,
    [digest],
  );
  return rows[0]?.id;
};
const ofEvents = async (events: readonly PreparedEvent[]): Promise<number> =>
  countRows(
    writers.pool,
    `events where id = any (array['${events.map(({ event }) => event.id).join("','")}']::uuid[])`,
  );

describe('storing events that are made from rejections', () => {
  it('I2: makes one event of a rejection, although another attempt changes its content, id and key', async () => {
    const key = keyOfNew();
    const first = made(key);
    const others = [
      made(key),
      made(key, { eventId: 'mended' }),
      made(key, {}, { idempotencyKey: `k-${uuidV7()}` }),
      made(key, { eventId: 'mended' }, { idempotencyKey: `k-${uuidV7()}` }),
    ];
    await expect(store(first)).resolves.toEqual(['accepted']);
    for (const other of others) {
      await expect(storeBatch(writers.pool, [other])).resolves.toMatchObject([
        { kind: 'duplicate', by: 'rejection', of: { id: first.event.id } },
      ]);
      await expect(holderOf(other.keyDigest)).resolves.toBeUndefined();
      await expect(holderOf(other.eventIdDigest)).resolves.toBeUndefined();
    }
    expect(await ofEvents([first, ...others])).toBe(1);
  });

  it('I2: makes one event when many attempts with different contents meet, in one batch and in several', async () => {
    for (let round = 0; round < 5; round++) {
      const keys = Array.from({ length: 10 }, keyOfNew);
      const batches = writers.pools.map((_, i) =>
        [...keys, ...keys].map((key, n) => made(key, n % 3 === 0 ? { eventId: `${i}-${uuidV7()}` } : {})),
      );
      const results = await Promise.all(
        writers.pools.map((pool, i) => storeBatch(pool, batches[i] as PreparedEvent[])),
      );
      expect(kinds(results.flat()).filter((kind) => kind === 'accepted')).toHaveLength(10);
      expect(kinds(results.flat()).filter((kind) => kind === 'duplicate')).toHaveLength(70);
      expect(await ofEvents(batches.flat())).toBe(10);
    }
  });

  it('finds the event of another record, and leaves the key of the rejection free', async () => {
    const [sent, again] = twins(2) as [PreparedEvent, PreparedEvent];
    const key = keyOfNew();
    await store(sent);
    await expect(storeBatch(writers.pool, [{ ...again, rejectionDigest: key }])).resolves.toMatchObject([
      { kind: 'duplicate', by: 'key', of: { id: sent.event.id } },
    ]);
    await expect(holderOf(key)).resolves.toBeUndefined();
    await expect(store(made(key))).resolves.toEqual(['accepted']);
  });

  it('stores them beside events of producers and of an earlier build in one batch', async () => {
    const key = keyOfNew();
    const legacy = { fingerprint: '00'.repeat(32), derived: undefined, eventId: undefined, handover: keyOfNew() };
    const batch = [prepared({ subject: uuidV7() }), made(key), { ...made(keyOfNew()), legacy }, made(key)];
    await expect(store(...batch)).resolves.toEqual(['accepted', 'accepted', 'accepted', 'duplicate']);
    await expect(holderOf(legacy.handover)).resolves.toBe(batch[2]?.event.id);
    await expect(holderOf(key)).resolves.toBe(batch[1]?.event.id);
  });

  it('accepts its own row when a statement is repeated', async () => {
    const event = made(keyOfNew(), { eventId: uuidV7() });
    await store(event);
    await expect(store(event)).resolves.toEqual(['accepted']);
  });
});
