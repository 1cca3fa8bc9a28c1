import { EventStreamReader } from '../../../console/src/api/event-stream';
import {
  MOST_ROWS,
  NO_ROWS,
  windowOf,
  withDropped,
  withEvents,
  withListed,
  withStatuses,
  type LiveRow,
} from '../../../console/src/pages/live/live-rows';

const row = (n: number): LiveRow => ({
  ...{ id: `id-${n}`, eventId: 'e', tenantId: 't', type: 'a', subject: 's', source: 'api', correlationId: 'c' },
  ...{ receivedAt: '2026-11-24T00:00:00.000Z', sizeBytes: 1, status: 'RECEIVED' },
});
const rows = (from: number, to: number): LiveRow[] => Array.from({ length: to - from }, (_, i) => row(from + i));

describe('server-sent events', () => {
  it('are read from pieces that end anywhere, without comments', () => {
    const text = 'event: ready\ndata: {}\n\n: \n\nevent: events\ndata: {"a":1}\ndata: 2\n\ndata:x\n\nevent: no';
    for (const size of [1, 3, 1_000]) {
      const reader = new EventStreamReader();
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(pieces.flatMap((piece) => reader.read(piece))).toEqual([
        { event: 'ready', data: '{}' },
        { event: 'events', data: '{"a":1}\n2' },
        { event: 'message', data: 'x' },
      ]);
    }
  });
});

describe('the live list', () => {
  it('has the newest on top, each once', () => {
    const live = withEvents(withEvents(NO_ROWS, rows(0, 3)), rows(1, 5));
    expect(live.rows.map(({ id }) => id)).toEqual(['id-4', 'id-3', 'id-2', 'id-1', 'id-0']);
    expect(withEvents(live, rows(0, 5))).toBe(live);
  });

  it('takes listed events into their places', () => {
    const live = withListed(withEvents(NO_ROWS, [row(2), row(5)]), [row(6), row(5), row(4), row(1)]);
    expect(live.rows.map(({ id }) => id)).toEqual(['id-6', 'id-5', 'id-4', 'id-2', 'id-1']);
    expect(withListed(live, [row(4)])).toBe(live);
  });

  it('is bounded', () => {
    const live = withEvents(withEvents(NO_ROWS, rows(0, MOST_ROWS)), rows(MOST_ROWS, MOST_ROWS + 10));
    expect([live.rows.length, live.rows[0]?.id]).toEqual([MOST_ROWS, `id-${MOST_ROWS + 9}`]);
  });

  it('changes the statuses of its rows, and counts what was dropped', () => {
    const live = withStatuses(withEvents(NO_ROWS, rows(0, 3)), [
      { id: 'id-1', status: 'DLQ' },
      { id: 'gone', status: 'DLQ' },
    ]);
    expect(live.rows.map(({ status }) => status)).toEqual(['RECEIVED', 'DLQ', 'RECEIVED']);
    expect(withDropped(withDropped(live, 3), 4)).toMatchObject({ dropped: 7, isMore: false });
    expect(withDropped(withDropped(live, 3), null)).toMatchObject({ dropped: 3, isMore: true });
  });

  it('draws the rows that are in view, and a few more', () => {
    const view = { height: 340, rowHeight: 34 };
    expect(windowOf(20_000, { ...view, top: 0 })).toEqual({ from: 0, to: 20 });
    expect(windowOf(20_000, { ...view, top: 34_000 })).toEqual({ from: 990, to: 1_020 });
    expect(windowOf(5, { ...view, top: 34_000 })).toEqual({ from: 5, to: 5 });
    expect(windowOf(0, { ...view, top: 0 })).toEqual({ from: 0, to: 0 });
  });
});
