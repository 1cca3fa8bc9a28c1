import { WINDOW_MS } from '../../redis/window-counter';

/** A stream may be this much ahead of an even pace, so that it does not wait for every single event. */
const AHEAD_MS = 1_000;
/** Bounds of one wait. Even if nothing is expected to be free, another process may have given events back. */
const SHORTEST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;

/** A tenant's count of the minute that goes on. */
export interface Minute {
  /** What streams may use of it. */
  limit: number;
  used: number;
  endsInMs: number;
}

/** Returns how much of the minute's limit streams may have used by now, if they spread it evenly over the minute. */
export function evenLimit({ limit, endsInMs }: Omit<Minute, 'used'>): number {
  const passedMs = Math.max(0, WINDOW_MS - endsInMs) + AHEAD_MS;
  return Math.max(1, Math.floor((limit * Math.min(passedMs, WINDOW_MS)) / WINDOW_MS));
}

/** Returns how long to wait until the pace has room for `wanted` events or bytes, or for those of a second if these are fewer. */
export function waitMs({ limit, used, endsInMs }: Minute, wanted: number): number {
  const target = used + Math.min(wanted, Math.ceil((limit * AHEAD_MS) / WINDOW_MS));
  const dueMs = target > limit ? WINDOW_MS : (target * WINDOW_MS) / limit - AHEAD_MS;
  const untilMs = dueMs - (WINDOW_MS - endsInMs);
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, Math.ceil(untilMs)));
}
