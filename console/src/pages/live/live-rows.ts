import type { Schema } from '../../api/endpoints';

/** An event as the stream and the list of events have it. */
export interface LiveRow {
  id: string;
  eventId: string;
  tenantId: string;
  type: string;
  subject: string;
  source: string;
  correlationId: string;
  receivedAt: string;
  sizeBytes: number;
  /** Null: nobody follows it any more. Its page has the status as of now. */
  status: Schema<'EventStatus'> | null;
}

/** Rows that the page keeps; the oldest go. */
export const MOST_ROWS = 20_000;

export interface Live {
  /** Newest first. */
  rows: readonly LiveRow[];
  /** Events that came but are not among the rows. */
  dropped: number;
  /** Whether there were others, nobody knows how many. */
  isMore: boolean;
}

export const NO_ROWS: Live = { rows: [], dropped: 0, isMore: false };

/** Puts new events on top. An event may come twice. */
export function withEvents(live: Live, oldestFirst: readonly LiveRow[]): Live {
  // What comes twice came lately.
  const known = new Set(live.rows.slice(0, oldestFirst.length + 2_000).map(({ id }) => id));
  const fresh = oldestFirst.filter(({ id }) => !known.has(id)).toReversed();
  if (fresh.length === 0) return live;
  return { ...live, rows: [...fresh, ...live.rows].slice(0, MOST_ROWS) };
}

/** Puts listed events in their places: the stream may have sent some of them, and newer ones, already. */
export function withListed(live: Live, listed: readonly LiveRow[]): Live {
  const known = new Set(live.rows.map(({ id }) => id));
  const fresh = listed.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return live;
  // An id begins with the time of receipt.
  const rows = [...live.rows, ...fresh].toSorted((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0));
  return { ...live, rows: rows.slice(0, MOST_ROWS) };
}

export function withStatuses(live: Live, statuses: readonly Pick<LiveRow, 'id' | 'status'>[]): Live {
  const changed = new Map(statuses.map(({ id, status }) => [id, status]));
  const rows = live.rows.map((row) => {
    const status = changed.get(row.id);
    return status === undefined ? row : { ...row, status };
  });
  return { ...live, rows };
}

/** `count`: null where it is not known. */
export const withDropped = (live: Live, count: number | null): Live =>
  count === null ? { ...live, isMore: true } : { ...live, dropped: live.dropped + count };

/** The rows that a window of the list shows, with some more above and below for keys and fast wheels. */
export function windowOf(
  count: number,
  { top, height, rowHeight }: { top: number; height: number; rowHeight: number },
): { from: number; to: number } {
  const MARGIN = 10;
  const from = Math.max(0, Math.min(Math.floor(top / rowHeight) - MARGIN, count));
  const to = Math.min(count, Math.ceil((top + height) / rowHeight) + MARGIN);
  return { from, to: Math.max(from, to) };
}
