import { findNamedEvents } from '../../../src/admin/erasures/selection/named-events.queries';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { useDatabase } from '../../support/fixtures/database';
import { givenEvent, givenEvents } from '../../support/rows';

describe('the events that an erasure names', () => {
  const database = useDatabase();

  const named = (names: string[], most = 10) => findNamedEvents(database.pool, 'acme', names, most);

  it('are those with this id, and all with this eventId of the producer', async () => {
    const byId = await givenEvent(database.pool);
    const one = await givenEvent(database.pool, { eventId: 'same' });
    const other = await givenEvent(database.pool);
    await database.pool.query(`update events set event_id = 'same' where id = $1`, [other.id]); // of another source
    const { ids, notFound } = await named([byId.id.toUpperCase(), 'same', byId.id]);
    expect(ids).toEqual([byId.id, one.id, other.id]);
    expect(notFound).toEqual({ count: 0, names: [] });
  });

  it('are none of another tenant, and the names without an event are listed once, up to a bound', async () => {
    const [foreign] = await givenEvents(database.pool, 1, { eventId: 'theirs' }, 'other');
    const own = await givenEvent(database.pool, { eventId: 'ours' });
    const absent = Array.from({ length: 150 }, (_, n) => `absent-${n}`);
    const { ids, notFound } = await named(['theirs', foreign?.id as string, 'ours', 'OURS', ...absent, 'theirs']);
    expect(ids).toEqual([own.id]);
    expect(notFound.count).toBe(153);
    expect(notFound.names).toEqual(['theirs', foreign?.id, 'OURS', ...absent].slice(0, 100));
  });

  it('are one more than may be erased when there are too many', async () => {
    const events = await givenEvents(database.pool, 5);
    const ids = events.map(({ id }) => id);
    await database.pool.query(`update events set event_id = 'often' where id = any ($1)`, [ids]);
    expect((await named(['often'], 3)).ids).toHaveLength(4);
    expect((await named(['often'], 5)).ids).toEqual(ids.toSorted());
    expect((await named([uuidV7()], 5)).ids).toEqual([]);
  });
});
