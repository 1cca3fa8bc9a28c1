import type { LiveFilter } from '../../../src/admin/live/live-event';
import { LiveFeed } from '../../../src/admin/live/live-feed';
import type { LiveWatcher } from '../../../src/admin/live/live-watcher';
import { removeEvents, useDatabase } from '../../support/fixtures/database';
import { givenEvents } from '../../support/rows';

const ALL: LiveFilter = { tenantIds: null, type: null, typePrefix: null, source: null, sourceId: null, text: null };
/** What one look shows. */
const MOST_EVENTS = 1_000;

describe('the live feed', () => {
  const database = useDatabase();
  let feed: LiveFeed;
  let watchers: LiveWatcher[] = [];
  beforeEach(() => {
    feed = new LiveFeed(database.pool);
  });
  afterEach(async () => {
    for (const watcher of watchers) watcher.destroy();
    watchers = [];
    await removeEvents(database.pool);
  });

  /** Watches, and gathers what comes. */
  async function watch(filter: Partial<LiveFilter> = {}) {
    const watcher = feed.watch({ ...ALL, ...filter }, 'c');
    watchers.push(watcher);
    let text = '';
    watcher.on('data', (piece: Buffer) => (text += piece.toString()));
    await feed.runOnce();
    const dataOf = <T>(name: string): T[] =>
      [...text.matchAll(new RegExp(`event: ${name}\\ndata: (.*)\\n\\n`, 'g'))].map(
        ([, data]) => JSON.parse(data ?? '') as T,
      );
    return {
      ids: () => dataOf<{ events: { id: string }[] }>('events').flatMap(({ events }) => events.map(({ id }) => id)),
      statuses: () =>
        dataOf<{ statuses: { id: string; status: string | null }[] }>('statuses').flatMap((one) => one.statuses),
      dropped: () => dataOf<{ count: number | null }>('dropped').map(({ count }) => count),
    };
  }
  /** Looks, and lets the streams pass on what was shown. */
  async function look(): Promise<void> {
    await feed.runOnce();
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('shows at the next look what a failed query has kept from this one', async () => {
    let isFailing = false;
    const failing = new Proxy(database.pool, {
      get(pool, name) {
        if (name !== 'query') return Reflect.get(pool, name) as unknown;
        return (text: string, values: unknown[]) => {
          if (isFailing && text.includes('size_bytes')) return Promise.reject(new Error('the connection was lost'));
          return pool.query(text, values);
        };
      },
    });
    feed = new LiveFeed(failing);
    const watcher = await watch();
    const [event] = await givenEvents(database.pool, 1);
    isFailing = true;
    await expect(feed.runOnce()).rejects.toThrow('the connection was lost');
    isFailing = false;
    await look();
    await look();
    expect(watcher.ids()).toEqual([event?.id]);
  });

  it('says how many it has left out only to those who see everything', async () => {
    const [everything, ofTenant, ofType] = [
      await watch(),
      await watch({ tenantIds: ['acme'] }),
      await watch({ type: 'x' }),
    ];
    await givenEvents(database.pool, 1);
    await look();
    expect([...everything.dropped(), ...ofTenant.dropped(), ...ofType.dropped()]).toEqual([]);
    await givenEvents(database.pool, MOST_EVENTS + 7);
    await look();
    expect([everything.dropped(), ofTenant.dropped(), ofType.dropped()]).toEqual([[7], [null], [null]]);
    expect([everything.ids().length, ofType.ids()]).toEqual([MOST_EVENTS + 1, []]);
  });

  it('does not know how many it has left out when its list has nothing but new events', async () => {
    const everything = await watch();
    for (let i = 0; i < 6; i++) await givenEvents(database.pool, MOST_EVENTS);
    await look();
    expect(everything.dropped()).toEqual([null]);
  });

  it('says of what is too much to follow that it no longer follows it', async () => {
    const watcher = await watch();
    await givenEvents(database.pool, 1);
    await look();
    for (let i = 0; i < 2; i++) {
      await givenEvents(database.pool, MOST_EVENTS);
      await look();
    }
    expect(watcher.ids()).toHaveLength(2 * MOST_EVENTS + 1);
    const unknown = watcher.statuses().filter(({ status }) => status === null);
    expect(unknown).toHaveLength(1);
    expect(watcher.ids()).toContain(unknown[0]?.id);
  });
});
