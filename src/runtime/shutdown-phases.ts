import type { Settings } from '../config/settings';

/** How a process spends SHUTDOWN_GRACE_MS, in ms. */
export interface ShutdownPhases {
  /** From SIGTERM on, the api serves as before. */
  drainMs: number;
  /** After the drain, work in hand may end by itself. What is left then is given back, and uploads end with a summary. */
  finishMs: number;
  /** After the drain, connections may complete their responses. What is left then is closed. */
  closeMs: number;
}

/** Divides the grace period, so that each part of a shutdown leaves time for the next one. Only the api drains. */
export function shutdownPhases({
  APP_ROLE,
  SHUTDOWN_DRAIN_MS,
  SHUTDOWN_GRACE_MS,
}: Pick<Settings, 'APP_ROLE' | 'SHUTDOWN_DRAIN_MS' | 'SHUTDOWN_GRACE_MS'>): ShutdownPhases {
  const drainMs = APP_ROLE.includes('api') ? SHUTDOWN_DRAIN_MS : 0;
  const leftMs = SHUTDOWN_GRACE_MS - drainMs;
  return { drainMs, finishMs: leftMs / 2, closeMs: (leftMs * 3) / 4 };
}
