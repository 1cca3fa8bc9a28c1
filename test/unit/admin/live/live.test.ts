import type { Pool } from 'pg';
import { passes, type LiveEvent, type LiveFilter } from '../../../../src/admin/live/live-event';
import { LiveFeed, MOST_WATCHERS } from '../../../../src/admin/live/live-feed';
import { LiveWatcher, type LiveRights } from '../../../../src/admin/live/live-watcher';
import { SeenIds } from '../../../../src/admin/live/seen-ids';
import { Problem } from '../../../../src/event/problems';

const ALL: LiveFilter = { tenantIds: null, type: null, typePrefix: null, source: null, sourceId: null, text: null };
const event = (n: number, of: Partial<LiveEvent> = {}): LiveEvent => ({
  ...{ id: `id-${n}`, eventId: `sale-${n}`, tenantId: 'acme', type: 'order.paid', subject: 'order-1', source: 'api' },
  ...{ sourceId: null, correlationId: 'C-1', receivedAt: '2026-11-24T00:00:00.000Z', sizeBytes: 1, status: 'RECEIVED' },
  ...of,
});

const textOf = (watcher: LiveWatcher): string => String(watcher.read() ?? '');

describe('the filter of a watcher', () => {
  it.each<[Partial<LiveFilter>, boolean]>([
    [{}, true],
    [{ tenantIds: ['acme'] }, true],
    [{ tenantIds: [] }, false],
    [{ tenantIds: ['other'] }, false],
    [{ type: 'order.paid' }, true],
    [{ type: 'order' }, false],
    [{ typePrefix: 'order.' }, true],
    [{ typePrefix: 'invoice.' }, false],
    [{ source: 'till' }, false],
    [{ sourceId: 'x' }, false],
    [{ text: 'sale-7' }, true],
    [{ text: 'c-1' }, true],
    [{ text: 'paid' }, false],
  ])('%j: %s', (filter, expected) => expect(passes({ ...ALL, ...filter }, event(7))).toBe(expected));
});

it('an event is fresh until it was shown, whatever looks overlap, and forgotten when no look goes back so far', () => {
  const seen = new SeenIds();
  expect(seen.fresh(['3', '2'])).toEqual(['3', '2']);
  expect(seen.fresh(['3', '2'])).toEqual(['3', '2']); // they could not be read
  seen.remember(['3', '2'], '1');
  expect(seen.fresh(['4', '3', '25', '2'])).toEqual(['4', '25']);
  seen.remember(['4', '25'], '3');
  expect(seen.fresh(['2', '3'])).toEqual(['2']);
});

describe('a watcher', () => {
  const opened = (): LiveWatcher => {
    const watcher = new LiveWatcher(ALL, 'c-9');
    watcher.read();
    watcher.ready();
    watcher.read();
    return watcher;
  };

  it('is told once from when on it sees what comes', () => {
    const watcher = new LiveWatcher(ALL, 'c-9');
    watcher.ready();
    watcher.ready();
    expect(textOf(watcher)).toBe('event: ready\ndata: {}\n\n');
  });

  it('gets events, and the last of several statuses', () => {
    const watcher = opened();
    watcher.add([event(1)]);
    expect(textOf(watcher)).toContain('event: events\ndata: {"events":[{"id":"id-1"');
    watcher.change([event(1, { status: 'PUBLISHED' })]);
    watcher.change([event(1, { status: 'COMPLETED' })]);
    const text = textOf(watcher) + textOf(watcher);
    expect(text).toContain('{"statuses":[{"id":"id-1","status":"COMPLETED"}]}');
  });

  it('that does not read keeps a bounded number of events, the newest, and is told how many were dropped', () => {
    const watcher = opened();
    const most = 2_000;
    for (let n = 0; n < 10_000; n += 100)
      watcher.add(
        Array.from({ length: 100 }, (_, i) => event(n + i)),
        1,
      );
    let text = '';
    for (let piece = textOf(watcher); piece !== ''; piece = textOf(watcher)) text += piece;
    const shown = text.match(/"id":"id-\d+"/g) ?? [];
    expect(shown.length).toBeLessThanOrEqual(most + 200); // with what was on its way
    expect(shown.at(-1)).toBe('"id":"id-9999"');
    const dropped = [...text.matchAll(/"count":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    expect(dropped + shown.length).toBe(10_000 + 100);
  });

  it('is told that an unknown number was dropped', () => {
    const watcher = opened();
    watcher.add([event(1)]);
    watcher.add([event(2)], 3);
    watcher.add([event(3)], null);
    watcher.add([event(4)], 5);
    expect(textOf(watcher) + textOf(watcher)).toContain('event: dropped\ndata: {"count":null}\n\n');
  });

  it('that has not read gets nothing of what waits after its end, and is disconnected', async () => {
    jest.useFakeTimers();
    try {
      const watcher = new LiveWatcher(ALL, 'c-9');
      watcher.add([event(1)], 3);
      watcher.change([event(2, { status: 'COMPLETED' })]);
      watcher.end(new Problem('admin-token-invalid', 'The token was revoked.'));
      watcher.add([event(3)]);
      watcher.change([event(4, { status: 'COMPLETED' })]);
      watcher.beat();
      await jest.advanceTimersByTimeAsync(4_000);
      expect(textOf(watcher)).toMatch(/^event: end\ndata: .*\n\n$/);
      const slow = new LiveWatcher(ALL, 'c-9');
      slow.end(new Problem('admin-token-invalid', 'The token was revoked.'));
      await jest.advanceTimersByTimeAsync(6_000);
      expect(slow.destroyed).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('gets only what it may see as of now, also of what waits', async () => {
    let tenantIds = ['acme', 'other'];
    const watcher = new LiveWatcher(ALL, 'c-9', () => Promise.resolve({ ...ALL, tenantIds }));
    watcher.add([event(1), event(2, { tenantId: 'other' })]);
    watcher.change([event(3, { status: 'DLQ' }), event(4, { tenantId: 'other', status: 'DLQ' })]);
    tenantIds = ['other'];
    await watcher.renew();
    expect(watcher.wanted.tenantIds).toEqual(['other']);
    const text = textOf(watcher);
    expect(text.match(/id-\d/g)).toEqual(['id-2', 'id-4']);
  });

  it('is told why it ends', async () => {
    const watcher = opened();
    let text = '';
    watcher.on('data', (piece: Buffer) => (text += piece.toString()));
    const ended = new Promise((resolve) => watcher.once('end', resolve));
    watcher.end(new Problem('admin-token-invalid', 'The token was revoked.'));
    await ended;
    expect(text).toContain('event: end\ndata: {');
    expect(text).toContain('"code":"admin-token-invalid"');
    expect(text).toContain('"correlationId":"c-9"');
  });
});

describe('the feed', () => {
  /** A database that must not be asked. */
  const untouched = new Proxy(
    {},
    {
      get: (_, name) => {
        throw new Error(`${String(name)} was used`);
      },
    },
  ) as Pool;

  it('reads nothing while nobody watches', async () => {
    expect(await new LiveFeed(untouched).runOnce()).toBeGreaterThan(60_000);
  });

  it('stops reading when the last watcher has gone, and serves a bounded number', async () => {
    const feed = new LiveFeed(untouched);
    const watchers = Array.from({ length: MOST_WATCHERS }, () => feed.watch(ALL, 'c'));
    expect(() => feed.watch(ALL, 'c')).toThrow('watch events already');
    await expect(feed.runOnce()).rejects.toThrow('was used');
    await Promise.all(watchers.map((watcher) => new Promise((gone) => watcher.once('close', gone).destroy())));
    expect(await feed.runOnce()).toBeGreaterThan(60_000);
    expect(() => feed.watch(ALL, 'c').destroy()).not.toThrow();
  });

  it('forgets a watcher at its end, and takes none when the process shuts down', async () => {
    const feed = new LiveFeed(untouched);
    const watcher = feed.watch(ALL, 'c');
    await feed.beforeApplicationShutdown();
    expect(textOf(watcher)).toContain('shutting down');
    expect(await feed.runOnce()).toBeGreaterThan(60_000);
    expect(() => feed.watch(ALL, 'c')).toThrow('shutting down');
  });
});

describe('the stream of an operator', () => {
  const afterLook = async (rights: LiveRights): Promise<string> => {
    const watcher = new LiveWatcher(ALL, 'c-9', rights);
    await watcher.renew();
    watcher.beat();
    return textOf(watcher);
  };

  it('goes on as long as the operator may watch', async () => {
    expect(await afterLook(() => Promise.resolve(ALL))).toBe(': \n\n');
  });

  it('ends when the operator is revoked, or when that cannot be known', async () => {
    const revoked = new Problem('admin-token-invalid', 'The token was revoked.');
    expect(await afterLook(() => Promise.reject(revoked))).toContain('admin-token-invalid');
    expect(await afterLook(() => Promise.reject(new Error('no database')))).toContain('storage-unavailable');
  });
});
