import { useSyncExternalStore } from 'react';

const TICK_MS = 1_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

/** One clock for all ages on the page. It stands still while nothing shows an age. */
function subscribe(listener: () => void): () => void {
  if (timer === undefined) {
    now = Date.now(); // it stood still
    timer = setInterval(tick, TICK_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Milliseconds since 1970, renewed each second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);
