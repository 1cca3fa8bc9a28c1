import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats `check` until it stops throwing, and returns its value. Throws the last error after `timeoutMs`. The default
 * is long because machines may be busy; a test of a promised time passes that time.
 */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(25);
    }
  }
}
