import type { Pool } from 'pg';
import { inTransaction } from '../../../../src/db/pool';
import type { PreparedEvent } from '../../../../src/event/prepare-event';
import { storeBatch } from '../../../../src/ingest/store/store-batch';
import { storeEvents } from '../../../../src/ingest/store/store-batch.queries';
import { givenDestinationRow } from '../../../support/deliveries';
import { eventually } from '../../../support/eventually';
import { prepared } from '../../../support/events';
import { useWriters } from '../../../support/fixtures/writers';

const writers = useWriters();
const [ORDERED, UNORDERED] = ['ordered', 'unordered'];
const eventOf = (tenantId: string | undefined, partitionKey = 'a'): PreparedEvent =>
  prepared({ partitionKey }, { tenantId });

interface Stored {
  id: string;
  position: string;
}

describe('the position of an event among those of its key', () => {
  beforeAll(async () => {
    await givenDestinationRow(writers.pool, { tenantId: ORDERED, ordering: 'key' });
    await givenDestinationRow(writers.pool, { tenantId: UNORDERED });
  });
  const positions = async (events: readonly PreparedEvent[]): Promise<Stored[]> => {
    const { rows } = await writers.pool.query<Stored>(
      'select id, outbox_id as position from events where id = any ($1) order by outbox_id',
      [events.map(({ event }) => event.id)],
    );
    return rows;
  };

  it('is drawn only when what another process stores for the tenant is committed', async () => {
    const [first, second, other] = [eventOf(ORDERED), eventOf(ORDERED), eventOf(UNORDERED)] as const;
    let storing: Promise<unknown> | undefined;
    await inTransaction(writers.pools[0] as Pool, async (db) => {
      await storeEvents(db, [first]);
      storing = storeBatch(writers.pools[1] as Pool, [second]);
      await storeBatch(writers.pools[1] as Pool, [other]); // waits for nobody
      await eventually(async () => {
        const { rows } = await writers.pool.query(
          `select from pg_locks where locktype = 'advisory' and not granted and classid = 7305036`,
        );
        expect(rows).toHaveLength(1);
      });
      await expect(positions([second])).resolves.toEqual([]);
    });
    await storing;
    expect((await positions([second, first])).map(({ id }) => id)).toEqual([first.event.id, second.event.id]);
  });

  it('follows the order of commits of several writers, and that of a batch', async () => {
    const seen: string[][] = [];
    let isDone = false;
    const watching = (async () => {
      while (!isDone) {
        const { rows } = await writers.pool.query<{ id: string }>(
          `select event_id as id from ordered_events where tenant_id = 'ordered' order by position`,
        );
        seen.push(rows.map(({ id }) => id));
      }
    })();
    const write = async (pool: Pool): Promise<PreparedEvent[]> => {
      const stored: PreparedEvent[] = [];
      for (let i = 0; i < 20; i++) {
        const batch = [eventOf(ORDERED), eventOf(UNORDERED), eventOf(ORDERED), eventOf(ORDERED, 'b')];
        await storeBatch(pool, batch);
        stored.push(...batch.filter(({ event }) => event.tenantId === ORDERED));
      }
      return stored;
    };
    const written = await Promise.all(writers.pools.map(write));
    isDone = true;
    await watching;
    const all = await positions(written.flat());
    // What was seen once never gets a predecessor later.
    for (const ids of seen) {
      const known = new Set(ids);
      const last = all.findIndex(({ id }) => id === ids.at(-1));
      expect(all.slice(0, last + 1).filter(({ id }) => !known.has(id))).toEqual([]);
    }
    for (const own of written) {
      const ids = new Set(own.map(({ event }) => event.id));
      expect(all.filter(({ id }) => ids.has(id)).map(({ id }) => id)).toEqual([...ids]);
    }
  });

  it('is kept until the handlers are done, for tenants with an ordered destination only', async () => {
    const [mine, others] = [eventOf(ORDERED, 'kept'), eventOf(UNORDERED, 'kept')];
    await storeBatch(writers.pool, [mine, others]);
    const { rows } = await writers.pool.query(
      `select o.event_id, o.position = e.outbox_id as same, o.order_key = order_key('kept') as keyed
         from ordered_events o join events e on e.id = o.event_id where o.event_id = any ($1)`,
      [[mine, others].map(({ event }) => event.id)],
    );
    expect(rows).toEqual([{ event_id: mine.event.id, same: true, keyed: true }]);
  });
});
