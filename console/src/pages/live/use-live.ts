import { useEffect, useState } from 'react';
import { read } from '../../api/client';
import type { StreamMessage } from '../../api/event-stream';
import { watchEvents, type LiveFilter } from '../../api/live';
import { ApiProblem, isTransient } from '../../api/problem';
import { NO_ROWS, withDropped, withEvents, withStatuses, type Live, type LiveRow } from './live-rows';

const FIRST_ROWS = 50;
const AGAIN_MS = { first: 1_000, most: 15_000 };

interface State {
  live: Live;
  isConnected: boolean;
  error: unknown;
}

const START: State = { live: NO_ROWS, isConnected: false, error: undefined };

/** Follows the events that match the filter of the first call: the newest that are stored, and what comes from now on. */
export function useLive(filter: LiveFilter): State {
  const [state, setState] = useState(START);
  const [asked] = useState(filter);
  useEffect(() => {
    const leaving = new AbortController();
    const change = (live: (before: Live) => Live) => setState((before) => ({ ...before, live: live(before.live) }));
    function onMessage({ event, data }: StreamMessage): void {
      const value = JSON.parse(data) as { events: LiveRow[]; statuses: LiveRow[]; count: number };
      if (event === 'ready') setState((before) => ({ ...before, isConnected: true, error: undefined }));
      if (event === 'events') change((live) => withEvents(live, value.events));
      if (event === 'statuses') change((live) => withStatuses(live, value.statuses));
      if (event === 'dropped') change((live) => withDropped(live, value.count));
    }
    async function fill(): Promise<void> {
      const { text, ...listed } = asked;
      const { events } = await read('/v1/admin/events', {
        query: { ...listed, limit: FIRST_ROWS },
        signal: leaving.signal,
      });
      const rows = text === undefined ? events : events.filter((row) => hasText(row, text));
      change((live) => withEvents(live, rows.toReversed()));
    }
    async function follow(): Promise<void> {
      let waitMs = AGAIN_MS.first;
      while (!leaving.signal.aborted) {
        try {
          await fill();
          const startedMs = Date.now();
          await watchEvents(asked, onMessage, leaving.signal);
          if (Date.now() - startedMs > AGAIN_MS.most) waitMs = AGAIN_MS.first;
        } catch (error) {
          if (leaving.signal.aborted) return;
          setState((before) => ({ ...before, error }));
          if (error instanceof ApiProblem && !isTransient(error)) return; // asking again would not help
        }
        setState((before) => ({ ...before, isConnected: false }));
        await sleep(waitMs, leaving.signal);
        waitMs = Math.min(waitMs * 2, AGAIN_MS.most);
      }
    }
    void follow();
    return () => leaving.abort();
  }, [asked]);
  return state;
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
