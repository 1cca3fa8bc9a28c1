import { useEffect, useState } from 'react';
import { read } from '../../api/client';
import type { StreamMessage } from '../../api/event-stream';
import { watchEvents, type LiveFilter } from '../../api/live';
import { ApiProblem, isTransient } from '../../api/problem';
import { NO_ROWS, withDropped, withEvents, withListed, withStatuses, type Live, type LiveRow } from './live-rows';

const FIRST_ROWS = 50;
const AGAIN_MS = { first: 1_000, most: 15_000 };

interface State {
  live: Live;
  isConnected: boolean;
  error: unknown;
}

const START: State = { live: NO_ROWS, isConnected: false, error: undefined };

/**
 * Follows the events that match the filter of the first call: the newest that are stored, and what comes from now on. A
 * page that nobody sees leaves its place to others.
 */
export function useLive(filter: LiveFilter): State {
  const [state, setState] = useState(START);
  const [asked] = useState(filter);
  useEffect(() => {
    const leaving = new AbortController();
    let newestId: string | undefined;
    const change = (live: (before: Live) => Live) => setState((before) => ({ ...before, live: live(before.live) }));
    function onMessage({ event, data }: StreamMessage): void {
      const value = JSON.parse(data) as { events: LiveRow[]; statuses: LiveRow[]; count: number | null };
      if (event === 'ready') {
        setState((before) => ({ ...before, isConnected: true, error: undefined }));
        // Not before: what came in between would be missing.
        fill(newestId).catch((error: unknown) => {
          if (!leaving.signal.aborted) setState((before) => ({ ...before, error }));
        });
      }
      if (event === 'events') {
        newestId = newestOf(value.events, newestId);
        change((live) => withEvents(live, value.events));
      }
      if (event === 'statuses') change((live) => withStatuses(live, value.statuses));
      if (event === 'dropped') change((live) => withDropped(live, value.count));
    }
    /** `lastId`: the newest event that was shown before the connection. */
    async function fill(lastId: string | undefined): Promise<void> {
      const { text, ...listed } = asked;
      const { events } = await read('/v1/admin/events', {
        query: { ...listed, limit: FIRST_ROWS },
        signal: leaving.signal,
      });
      const rows = text === undefined ? events : events.filter((row) => hasText(row, text));
      newestId = newestOf(rows, newestId);
      const oldest = events.at(-1);
      const isGap = lastId !== undefined && events.length === FIRST_ROWS && oldest !== undefined && oldest.id > lastId;
      change((live) => withListed(isGap ? withDropped(live, null) : live, rows));
    }
    async function follow(): Promise<void> {
      let waitMs = AGAIN_MS.first;
      while (!leaving.signal.aborted) {
        await whenVisible(leaving.signal);
        const hiding = new AbortController();
        const onVisibility = () => document.hidden && hiding.abort();
        document.addEventListener('visibilitychange', onVisibility);
        const startedMs = Date.now();
        let error: unknown;
        try {
          await watchEvents(asked, onMessage, AbortSignal.any([leaving.signal, hiding.signal]));
        } catch (thrown) {
          if (!hiding.signal.aborted) error = thrown;
        } finally {
          document.removeEventListener('visibilitychange', onVisibility);
        }
        if (leaving.signal.aborted) return;
        setState((before) => ({ ...before, isConnected: false, error }));
        if (hiding.signal.aborted) continue;
        if (error instanceof ApiProblem && !isTransient(error) && error.status !== 429) return; // asking again would not help
        if (Date.now() - startedMs > AGAIN_MS.most) waitMs = AGAIN_MS.first;
        await sleep(waitMs, leaving.signal);
        waitMs = Math.min(waitMs * 2, AGAIN_MS.most);
      }
    }
    void follow();
    return () => leaving.abort();
  }, [asked]);
  return state;
}

function newestOf(rows: readonly LiveRow[], newestId = ''): string | undefined {
  const newest = rows.reduce((id, row) => (row.id > id ? row.id : id), newestId);
  return newest === '' ? undefined : newest;
}

/** Waits until somebody can see the page, or `leaving` is aborted. */
function whenVisible(leaving: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !leaving.aborted) return;
      document.removeEventListener('visibilitychange', look);
      leaving.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    leaving.addEventListener('abort', look);
    look();
  });
}

function hasText({ id, eventId, subject, correlationId }: LiveRow, text: string): boolean {
  const wanted = text.toLowerCase();
  return [id, eventId, subject, correlationId].some((value) => value.toLowerCase().includes(wanted));
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
