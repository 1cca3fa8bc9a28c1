import { setTimeout as sleep } from 'node:timers/promises';

export interface Repeated {
  /** Ends when the act that is under way has ended. Throws what an act has thrown. */
  stop(): Promise<void>;
}

/** Repeats what a producer does until it is stopped. A connection that breaks, as to a killed process, is no failure. */
export function repeating(everyMs: number, act: () => Promise<unknown>): Repeated {
  const stopped = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await act().catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      });
      await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const running = run();
  running.catch(() => undefined); // stop() reports it
  return {
    stop: () => {
      stopped.abort();
      return running;
    },
  };
}
